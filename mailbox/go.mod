module github.com/wippyrun/kit/mailbox

go 1.26.0
