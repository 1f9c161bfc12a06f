// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"log/slog"
	"strconv"
	"time"
)

// Colours of a terminal.
const (
	colorReset   = "\x1b[0m"
	colorRed     = "\x1b[31m"
	colorYellow  = "\x1b[33m"
	colorBlue    = "\x1b[34m"
	colorMagenta = "\x1b[35m"
	colorCyan    = "\x1b[36m"
	colorGray    = "\x1b[90m"
)

// Red returns text so that a terminal shows it in red.
func Red(text string) string { return colorRed + text + colorReset }

// Widths of the columns of Color.
const (
	levelWidth = 5
	nameWidth  = 12
)

// noFields is what the fields of a record without any look like.
const noFields = len("{}")

// appendConsoleRecord appends: local time, level, name, message, fields, separated by tabs; the name and the
// fields only when there are any.
func appendConsoleRecord(b []byte, r slog.Record, name string, fields []byte) []byte {
	b = appendLocal(b, r.Time)
	b = append(b, '\t')
	b = append(b, r.Level.String()...)
	if name != "" {
		b = append(b, '\t')
		b = appendLine(b, name)
	}
	b = append(b, '\t')
	b = appendLine(b, r.Message)
	if len(fields) > noFields {
		b = append(b, '\t')
		b = append(b, fields...)
	}
	return b
}

// appendColorRecord appends: seconds since start, level, name, message, fields.
func appendColorRecord(b []byte, r slog.Record, start time.Time, name string, fields []byte) []byte {
	from := len(b)
	b = strconv.AppendFloat(b, max(r.Time.Sub(start).Seconds(), 0), 'f', 2, 64)
	for len(b)-from < len("000.00") {
		b = append(b, 0)
		copy(b[from+1:], b[from:])
		b[from] = ' '
	}
	b = append(b, "s "...)
	b = appendPadded(append(b, levelColor(r.Level)...), r.Level.String(), levelWidth)
	b = append(b, colorReset+" "+colorBlue...)
	b = appendPadded(b, name, nameWidth)
	b = append(b, colorReset+" "...)
	b = appendLine(b, r.Message)
	if len(fields) > noFields {
		b = append(b, " "+colorGray...)
		b = append(b, fields...)
		b = append(b, colorReset...)
	}
	return b
}

// appendJSONRecord appends an object: ts, level, logger, msg, then the fields, of which fields is the object.
func appendJSONRecord(b []byte, r slog.Record, name string, fields []byte) []byte {
	b = append(b, '{')
	if !r.Time.IsZero() {
		b = appendKey(b, "ts")
		b = append(b, '"')
		b = r.Time.AppendFormat(b, "2006-01-02T15:04:05.000Z0700")
		b = append(b, '"')
	}
	b = appendKey(b, "level")
	b = append(b, '"')
	b = appendLower(b, r.Level.String())
	b = append(b, '"')
	if name != "" {
		b = appendString(appendKey(b, "logger"), name)
	}
	b = appendString(appendKey(b, "msg"), r.Message)
	if len(fields) > noFields {
		b = append(b, ',')
		return append(b, fields[1:]...)
	}
	return append(b, '}')
}

// appendLocal appends the local time as YYYY-MM-DD HH:MM:SS, nothing for the zero time.
func appendLocal(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	t = t.Local()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	b = strconv.AppendInt(b, int64(year), 10)
	for _, part := range [...]struct {
		before byte
		n      int
	}{{'-', int(month)}, {'-', day}, {' ', hour}, {':', minute}, {':', second}} {
		b = append(b, part.before, byte('0'+part.n/10), byte('0'+part.n%10))
	}
	return b
}

// appendLine appends text on one line: control characters, which could also fake another record or
// reprogram a terminal, are escaped. Quotes and backslashes stay.
func appendLine(b []byte, text string) []byte {
	for i := 0; i < len(text); i++ {
		if c := text[i]; c < ' ' || c >= 0x7f {
			return appendEscapedLine(b, text)
		}
	}
	return append(b, text...)
}

func appendEscapedLine(b []byte, text string) []byte {
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b = append(b, byte(r))
		default:
			b = appendEscaped(b, string(r))
		}
	}
	return b
}

func appendPadded(b []byte, text string, width int) []byte {
	from := len(b)
	b = appendLine(b, text)
	for len(b)-from < width {
		b = append(b, ' ')
	}
	return b
}

func appendLower(b []byte, text string) []byte {
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return b
}

func levelColor(l slog.Level) string {
	switch {
	case l >= slog.LevelError:
		return colorRed
	case l >= slog.LevelWarn:
		return colorYellow
	case l >= slog.LevelInfo:
		return colorCyan
	}
	return colorMagenta
}
