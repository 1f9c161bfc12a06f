module github.com/wippyrun/kit/loader

go 1.26.0
