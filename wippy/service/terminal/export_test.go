package terminal

// Report is the rule that turns a result into output and an exit code.
var Report = report

// NewScreen makes output that knows the modes of its terminal.
var NewScreen = newScreen
