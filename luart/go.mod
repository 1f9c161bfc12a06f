module github.com/wippyrun/kit/luart

go 1.26.0

require (
	github.com/cespare/xxhash/v2 v2.3.0
	github.com/wippyrun/kit/relay v0.1.0
	github.com/wippyrun/kit/scheduler v0.1.0
	github.com/yuin/gopher-lua v1.1.2
	golang.org/x/sync v0.24.0
)

require (
	github.com/kr/pretty v0.1.0 // indirect
	github.com/puzpuzpuz/xsync/v3 v3.5.1 // indirect
	github.com/stretchr/testify v1.8.0 // indirect
	github.com/vmihailenco/msgpack/v5 v5.4.1 // indirect
	github.com/vmihailenco/tagparser/v2 v2.0.0 // indirect
	gopkg.in/check.v1 v1.0.0-20180628173108-788fd7840127 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
)

replace github.com/wippyrun/kit/scheduler => ../scheduler

replace github.com/wippyrun/kit/relay => ../relay

replace github.com/wippyrun/kit/mailbox => ../mailbox
