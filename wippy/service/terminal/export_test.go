package terminal

// Report is the rule that turns a result into output and an exit code.
var Report = report
