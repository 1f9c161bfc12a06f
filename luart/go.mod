module github.com/wippyrun/kit/luart

go 1.26.0

require (
	github.com/wippyrun/kit/mailbox v0.1.0
	github.com/wippyrun/kit/relay v0.1.0
	github.com/wippyrun/kit/scheduler v0.1.0
	github.com/yuin/gopher-lua v1.1.2
)

replace github.com/wippyrun/kit/scheduler => ../scheduler

replace github.com/wippyrun/kit/relay => ../relay

replace github.com/wippyrun/kit/mailbox => ../mailbox
