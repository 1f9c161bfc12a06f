module github.com/wippyrun/kit/eventbus

go 1.26.0
