// SPDX-License-Identifier: Apache-2.0

package amqp

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/service/queue"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// contentTypes are the forms of bodies that say so.
var contentTypes = map[string]payload.Format{
	"application/json": payload.JSON, "application/msgpack": payload.Msgpack,
	"application/octet-stream": payload.Bytes, "text/plain": payload.String,
}

// headerAttempt is where a message that is sent again has the number of its next attempt.
const headerAttempt = "x_attempt"

// codecs are the forms a queue may have, with what their messages say.
var codecs = map[payload.Format]string{payload.JSON: "application/json", payload.Msgpack: "application/msgpack"}

// formatOf returns the form of a body by its content type, or else by its queue.
func formatOf(contentType string, codec payload.Format) payload.Format {
	name, _, _ := strings.Cut(contentType, ";")
	if f, known := contentTypes[strings.TrimSpace(strings.ToLower(name))]; known {
		return f
	}
	return codec
}

// publishing makes what is sent of a message. Headers that the protocol has a property for
// become that, all others travel as they are.
func (d *Driver) publishing(m *queue.Message, codec payload.Format) (p amqp.Publishing, mandatory bool, err error) {
	p = amqp.Publishing{MessageId: m.ID, DeliveryMode: amqp.Persistent, ContentType: codecs[codec], Headers: amqp.Table{}}
	if d.options.MessageTTL > 0 {
		p.Expiration = strconv.FormatInt(d.options.MessageTTL.Milliseconds(), 10)
	}
	for name, v := range m.Headers {
		text := fmt.Sprint(v)
		number, isNumber := v.(int64)
		switch name {
		case "correlation_id":
			p.CorrelationId = text
		case "reply_to":
			p.ReplyTo = text
		case "message_type":
			p.Type = text
		case "content_type":
			p.ContentType = text
		case "encoding", "amqp.content_encoding":
			p.ContentEncoding = text
		case "timestamp":
			if !isNumber {
				p.Headers[name] = v
				continue
			}
			p.Timestamp = time.Unix(number, 0)
		case "amqp.priority":
			if !isNumber || number < 0 || number > 255 {
				return p, false, badHeader(name, "a number from 0 to 255", v)
			}
			p.Priority = uint8(number)
		case "amqp.expiration":
			p.Expiration = text
		case "amqp.delivery_mode":
			if number != 1 && number != 2 {
				return p, false, badHeader(name, "1 or 2", v)
			}
			p.DeliveryMode = uint8(number)
		case "amqp.mandatory":
			mandatory = v == true
		case "amqp.x_delay":
			p.Headers["x-delay"] = v
		default:
			p.Headers[name] = v
		}
	}
	body, err := d.options.Transcoder.Transcode(m.Body, formatOf(p.ContentType, codec))
	if err != nil {
		return p, false, err
	}
	switch data := body.Data.(type) {
	case []byte:
		p.Body = data
	case string:
		p.Body = []byte(data)
	}
	return p, mandatory, nil
}

func badHeader(name, want string, got any) error {
	return fault.New(fault.Invalid, fmt.Sprintf("header %s must be %s, got %v", name, want, got)).Final()
}

// message makes a message of what has arrived, and tells which attempt it is.
func message(got *amqp.Delivery, codec payload.Format) (m *queue.Message, attempt int) {
	m = &queue.Message{ID: got.MessageId, Headers: map[string]any{}, Body: payload.Payload{Format: formatOf(got.ContentType, codec), Data: got.Body}}
	if m.Body.Format == payload.String {
		m.Body.Data = string(got.Body)
	}
	if m.ID == "" {
		m.ID = queue.NewID()
	}
	attempt = 1
	for name, v := range got.Headers {
		switch name {
		case headerAttempt:
			if n, ok := plain(v).(int64); ok && n > 0 {
				attempt = int(n)
			}
			continue
		case "x-delay":
			name = "amqp.x_delay"
		}
		m.Headers[name] = plain(v)
	}
	for name, text := range map[string]string{
		"correlation_id": got.CorrelationId, "reply_to": got.ReplyTo, "message_type": got.Type, "content_type": got.ContentType,
		"encoding": got.ContentEncoding, "amqp.expiration": got.Expiration,
	} {
		if text != "" {
			m.Headers[name] = text
		}
	}
	if !got.Timestamp.IsZero() {
		m.Headers["timestamp"] = got.Timestamp.Unix()
	}
	if got.Priority > 0 {
		m.Headers["amqp.priority"] = int64(got.Priority)
	}
	if got.DeliveryMode == amqp.Transient {
		m.Headers["amqp.delivery_mode"] = int64(amqp.Transient)
	}
	return m, attempt
}

// plain turns a header into a value of this program.
func plain(v any) any {
	switch v := v.(type) {
	case int8:
		return int64(v)
	case uint8:
		return int64(v)
	case int16:
		return int64(v)
	case uint16:
		return int64(v)
	case int32:
		return int64(v)
	case uint32:
		return int64(v)
	case int:
		return int64(v)
	case float32:
		return float64(v)
	case []byte:
		return string(v)
	case time.Time:
		return v.Unix()
	case amqp.Table:
		out := make(map[string]any, len(v))
		for name, item := range v {
			out[name] = plain(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = plain(item)
		}
		return out
	}
	return v
}

// again is a message as it is sent for its next attempt.
func again(got *amqp.Delivery, attempt int) amqp.Publishing {
	headers := amqp.Table{}
	for name, v := range got.Headers {
		headers[name] = v
	}
	headers[headerAttempt] = int64(attempt)
	return amqp.Publishing{
		Headers: headers, ContentType: got.ContentType, ContentEncoding: got.ContentEncoding, DeliveryMode: got.DeliveryMode,
		Priority: got.Priority, CorrelationId: got.CorrelationId, ReplyTo: got.ReplyTo, Expiration: got.Expiration,
		MessageId: got.MessageId, Timestamp: got.Timestamp, Type: got.Type, AppId: got.AppId, Body: got.Body,
	}
}
