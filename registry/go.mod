module github.com/wippyrun/kit/registry

go 1.26.0
