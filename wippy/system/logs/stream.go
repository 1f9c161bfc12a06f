// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"log/slog"
	"math"
	"runtime"
	"strconv"
)

// Names of what is published and understood.
const (
	System          = "logs"
	KindEntry       = "logs.entry"        // path: logger name, data: Streamed
	KindConfigSet   = "logs.config.set"   // path: correlation, data: Config or a map
	KindConfigGet   = "logs.config.get"   // path: correlation
	KindConfigState = "logs.config.state" // path: that of the request, data: Config
)

// Streamed is a record on the event bus.
type Streamed struct {
	Entry  Entry   `json:"entry"`
	Fields []Field `json:"fields"`
}

// Entry is the fixed part of a record.
type Entry struct {
	Level      int    `json:"level"` // -1 debug, 0 info, 1 warn, 2 error
	Time       int64  `json:"time"`  // nanoseconds since 1970
	LoggerName string `json:"logger_name"`
	Message    string `json:"message"`
	Caller     string `json:"caller"` // file:line, "" when unknown
	Stack      string `json:"stack"`
}

// Field is one field of a record. Numbers, booleans (0 and 1) and durations (nanoseconds) are in Int; everything
// else, and every value that is no whole number, is in String, objects as JSON.
type Field struct {
	Key    string    `json:"key"`
	Type   FieldType `json:"type"`
	String string    `json:"string"`
	Int    int64     `json:"int"`
}

// FieldType says what a field holds.
type FieldType int

// The types of fields. The numbers are part of the event's contract.
const (
	BoolField     FieldType = 4
	DurationField FieldType = 8
	FloatField    FieldType = 9 // String is the number, Int its IEEE 754 bits
	IntField      FieldType = 11
	StringField   FieldType = 15
	TimeField     FieldType = 16 // Int is nanoseconds since 1970
	UintField     FieldType = 18
	ObjectField   FieldType = 23
	ErrorField    FieldType = 26
)

// stream publishes r.
func (t *tee) stream(r slog.Record) {
	s := &Streamed{
		Entry: Entry{
			Level: int(math.Floor(float64(r.Level) / 4)), Time: r.Time.UnixNano(),
			LoggerName: t.name, Message: r.Message, Caller: caller(r.PC),
		},
		Fields: make([]Field, 0, len(t.attrs)+r.NumAttrs()),
	}
	for _, a := range t.attrs {
		s.Fields = appendField(s.Fields, "", a)
	}
	r.Attrs(func(a slog.Attr) bool {
		if name, ok := nameOf(a); ok && t.groups == "" {
			s.Entry.LoggerName = name
			return true
		}
		s.Fields = appendField(s.Fields, t.groups, a)
		return true
	})
	t.manager.publisher.Publish(System, KindEntry, s.Entry.LoggerName, s)
}

// appendField appends the field a; the members of a group become fields of their own.
func appendField(fields []Field, prefix string, a slog.Attr) []Field {
	v := a.Value.Resolve()
	f := Field{Key: prefix + a.Key}
	switch v.Kind() {
	case slog.KindGroup:
		if a.Key != "" {
			prefix = f.Key + "."
		}
		for _, member := range v.Group() {
			fields = appendField(fields, prefix, member)
		}
		return fields
	case slog.KindString:
		f.Type, f.String = StringField, v.String()
	case slog.KindInt64:
		f.Type, f.Int = IntField, v.Int64()
	case slog.KindUint64:
		f.Type, f.Int = UintField, int64(min(v.Uint64(), math.MaxInt64))
	case slog.KindFloat64:
		f.Type, f.Int, f.String = FloatField, int64(math.Float64bits(v.Float64())), string(appendFloat(nil, v.Float64()))
	case slog.KindBool:
		f.Type = BoolField
		if v.Bool() {
			f.Int = 1
		}
	case slog.KindDuration:
		f.Type, f.Int = DurationField, int64(v.Duration())
	case slog.KindTime:
		f.Type, f.Int = TimeField, v.Time().UnixNano()
	default:
		f.Type = ObjectField
		if err, ok := v.Any().(error); ok {
			f.Type, f.String = ErrorField, text(err, err.Error)
		} else {
			f.String = string(appendAny(nil, v.Any(), 0))
		}
	}
	return append(fields, f)
}

func caller(pc uintptr) string {
	if pc == 0 {
		return ""
	}
	f, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	return f.File + ":" + strconv.Itoa(f.Line)
}
