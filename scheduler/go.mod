module github.com/wippyrun/kit/scheduler

go 1.26.0
