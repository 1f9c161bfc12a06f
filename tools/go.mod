module github.com/wippyrun/kit/tools

go 1.26.0
