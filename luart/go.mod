module github.com/wippyrun/kit/luart

go 1.26.0

require (
	github.com/cespare/xxhash/v2 v2.3.0
	github.com/wippyrun/kit/relay v0.1.0
	github.com/wippyrun/kit/scheduler v0.1.0
	github.com/yuin/gopher-lua v1.1.2
	go.uber.org/goleak v1.3.0
	golang.org/x/sync v0.25.0
	pgregory.net/rapid v1.3.0
)

require (
	github.com/puzpuzpuz/xsync/v3 v3.5.1 // indirect
	github.com/vmihailenco/msgpack/v5 v5.4.1 // indirect
	github.com/vmihailenco/tagparser/v2 v2.0.0 // indirect
	github.com/wippyrun/kit/mailbox v0.1.0 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
)

replace github.com/wippyrun/kit/scheduler => ../scheduler

replace github.com/wippyrun/kit/relay => ../relay

replace github.com/wippyrun/kit/mailbox => ../mailbox
