module github.com/wippyrun/kit/relay

go 1.26.0

require github.com/wippyrun/kit/mailbox v0.1.0

replace github.com/wippyrun/kit/mailbox => ../mailbox
