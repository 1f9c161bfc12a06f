module github.com/wippyrun/kit/appctx

go 1.26.0
