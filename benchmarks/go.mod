module github.com/wippyrun/kit/benchmarks

go 1.26.0

require (
	github.com/wippyrun/kit/appctx v0.1.0
	github.com/wippyrun/kit/eventbus v0.1.0
	github.com/wippyrun/kit/loader v0.1.0
	github.com/wippyrun/kit/luart v0.1.0
	github.com/wippyrun/kit/luart/modules v0.1.0
	github.com/wippyrun/kit/mailbox v0.1.0
	github.com/wippyrun/kit/registry v0.1.0
	github.com/wippyrun/kit/relay v0.1.0
	github.com/wippyrun/kit/scheduler v0.1.0
	github.com/wippyrun/kit/wippy v0.1.0
)

replace github.com/wippyrun/kit/appctx => ../appctx

replace github.com/wippyrun/kit/eventbus => ../eventbus

replace github.com/wippyrun/kit/mailbox => ../mailbox

replace github.com/wippyrun/kit/loader => ../loader

replace github.com/wippyrun/kit/relay => ../relay

replace github.com/wippyrun/kit/scheduler => ../scheduler

replace github.com/wippyrun/kit/registry => ../registry

replace github.com/wippyrun/kit/luart => ../luart

replace github.com/wippyrun/kit/luart/modules => ../luart/modules

replace github.com/wippyrun/kit/wippy => ../wippy
