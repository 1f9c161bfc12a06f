// SPDX-License-Identifier: Apache-2.0

package system

// builtin are the classes of modules that every program has without asking.
var builtin = map[string][]string{
	"os":      {"time", "workflow"},
	"payload": {"encoding", "deterministic"},
}

// descriptions says what the modules are for. Those of an embedding program have none.
var descriptions = map[string]string{
	"archive":      "read and write zip and tar archives",
	"base64":       "encode and decode base64",
	"cloudstorage": "object storage",
	"compress":     "compress and decompress data",
	"contract":     "call implementations by contract",
	"crypto":       "encryption, signatures, tokens, random bytes",
	"ctx":          "values that travel with a call",
	"env":          "variables of the environment",
	"eval_runner":  "run source that the program makes, shut in",
	"events":       "publish and subscribe on the event bus",
	"excel":        "read and write spreadsheets",
	"exec":         "run commands of the operating system",
	"expr":         "evaluate expressions",
	"fs":           "files of a volume",
	"funcs":        "call functions",
	"hash":         "checksums and hashes",
	"html":         "make HTML safe",
	"http":         "answer HTTP requests",
	"http_client":  "send HTTP requests",
	"io":           "read and write the terminal",
	"json":         "encode, decode and validate JSON",
	"loader":       "read entry files",
	"logger":       "write log records",
	"metrics":      "count and measure",
	"os":           "time and dates",
	"payload":      "convert between formats",
	"pg":           "process groups",
	"process":      "spawn, link, monitor and message processes",
	"queue":        "publish and consume messages",
	"registry":     "read and change entries",
	"security":     "actors, scopes, policies and tokens",
	"sql":          "query SQL databases",
	"store":        "keep values by key",
	"system":       "what the program runs on",
	"templates":    "render templates",
	"text":         "regular expressions, differences, splitting",
	"time":         "instants, durations, timers",
	"treesitter":   "parse source code",
	"tty":          "full-screen terminal programs",
	"uuid":         "make and check unique ids",
	"websocket":    "WebSocket client",
	"yaml":         "encode and decode YAML",
}
