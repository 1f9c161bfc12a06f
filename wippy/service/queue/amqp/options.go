// SPDX-License-Identifier: Apache-2.0

package amqp

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"math"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/service/queue"
)

// KindDriver is the kind of a driver.
const KindDriver = "queue.driver.amqp"

const (
	defaultURL      = "amqp://guest:guest@localhost:5672/"
	defaultTimeout  = 30 * time.Second // of connecting, as the library has it
	defaultDelay    = time.Second
	defaultMaxDelay = 30 * time.Second
	defaultPrefetch = 10
)

// Kind makes the drivers of entries. The transcoder turns messages into the codec of their
// queue.
func Kind(t *payload.Transcoder, log *slog.Logger) queue.Kind {
	return queue.Kind{Kind: KindDriver, New: func(e registry.Entry, r *fields.Reader) queue.Driver {
		o := decode(r)
		o.Transcoder, o.Log = t, log.With("driver", e.ID.String())
		return New(o)
	}}
}

// Options are how a driver reaches its broker. URL, Transcoder and Log are required.
type Options struct {
	URL            string
	Config         amqp.Config   // of the connection; Dial is made of ConnectTimeout
	ConnectTimeout time.Duration // for connecting and the handshake
	ReconnectDelay time.Duration // before the first try to connect again; it doubles
	ReconnectMax   time.Duration // up to this
	MessageTTL     time.Duration // of messages that do not say, 0 for ever
	QueueTTL       time.Duration // of messages in queues that do not say, 0 for ever
	QueueExpiry    time.Duration // of unused queues that do not say, 0 never
	Prefetch       int           // of consumers that do not say
	Transcoder     *payload.Transcoder
	Log            *slog.Logger
	_              struct{}
}

// decode reads an entry.
func decode(r *fields.Reader) Options {
	o := Options{
		URL:            cmp.Or(r.String("url", ""), defaultURL),
		ConnectTimeout: duration(r, "connection_timeout", defaultTimeout),
		ReconnectDelay: duration(r, "reconnect_delay", defaultDelay), ReconnectMax: duration(r, "reconnect_max_delay", defaultMaxDelay),
		MessageTTL: duration(r, "default_message_ttl", 0), QueueTTL: duration(r, "default_queue_ttl", 0),
		QueueExpiry: duration(r, "default_queue_expiry", 0), Prefetch: within(r, "prefetch_count", math.MaxUint16),
		Config: amqp.Config{
			Vhost: r.String("vhost", ""), Heartbeat: duration(r, "heartbeat", 0),
			FrameSize: within(r, "frame_size", math.MaxInt32), ChannelMax: uint16(within(r, "channel_max", math.MaxUint16)),
			Locale: "en_US", Properties: amqp.NewConnectionProperties(),
		},
	}
	if name := r.String("connection_name", ""); name != "" {
		o.Config.Properties.SetClientConnectionName(name)
	}
	uri, err := amqp.ParseURI(o.URL)
	if err != nil {
		r.Reject("url", "url is no address of a broker such as "+defaultURL+": "+err.Error())
	}
	switch mechanism := strings.ToUpper(r.String("auth_mechanism", "PLAIN")); mechanism {
	case "PLAIN":
		o.Config.SASL = []amqp.Authentication{uri.PlainAuth()}
	case "AMQPLAIN":
		o.Config.SASL = []amqp.Authentication{uri.AMQPlainAuth()}
	case "EXTERNAL":
		o.Config.SASL = []amqp.Authentication{&amqp.ExternalAuth{}}
	default:
		r.Reject("auth_mechanism", "auth_mechanism must be PLAIN, AMQPLAIN or EXTERNAL, got "+mechanism)
	}
	secure := strings.HasPrefix(o.URL, "amqps://")
	if o.Config.TLSClientConfig = decodeTLS(r.Sub("tls"), secure); o.Config.TLSClientConfig != nil {
		o.URL = strings.Replace(o.URL, "amqp://", "amqps://", 1)
	}
	return o
}

func duration(r *fields.Reader, name string, standard time.Duration) time.Duration {
	d := r.Duration(name, standard)
	if d < 0 {
		r.Reject(name, name+" must be non-negative")
	}
	return d
}

// within reads a number from 0 to most.
func within(r *fields.Reader, name string, most int) int {
	n := r.Int(name, 0)
	if n < 0 || n > most {
		r.Reject(name, name+" is out of range")
		return 0
	}
	return n
}

// decodeTLS reads the field tls, nil when it is off. It is on when the address says so.
func decodeTLS(r *fields.Reader, secure bool) *tls.Config {
	enabled := r.Bool("enabled", secure) || secure
	c := &tls.Config{
		ServerName: r.String("server_name", ""), InsecureSkipVerify: r.Bool("insecure_skip_verify", false), // the entry's own decision
		MinVersion: tls.VersionTLS12,
	}
	cert, key, ca := r.String("cert", ""), r.String("key", ""), r.String("ca", "")
	if !enabled {
		return nil
	}
	if cert != "" || key != "" {
		pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
		if err != nil {
			r.Reject("cert", "cert and key are no pair in PEM form: "+err.Error())
		}
		c.Certificates = []tls.Certificate{pair}
	}
	if ca != "" {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM([]byte(ca)) {
			r.Reject("ca", "ca holds no certificate in PEM form")
		}
	}
	return c
}

// queueOptions are the driver_options.amqp of a queue.
type queueOptions struct {
	durable, autoDelete bool
	ttl, expiry         time.Duration
	length              int
}

// QueueOptions reads driver_options.amqp of a queue.
func (d *Driver) QueueOptions(r *fields.Reader) any {
	return queueOptions{
		durable: r.Bool("durable", true), autoDelete: r.Bool("auto_delete", false),
		ttl: duration(r, "message_ttl", d.options.QueueTTL), expiry: duration(r, "queue_expiry", d.options.QueueExpiry),
		length: within(r, "max_length", math.MaxInt32),
	}
}

// arguments are what the queue is declared with.
func (o queueOptions) arguments(dead string) amqp.Table {
	t := amqp.Table{}
	if o.ttl > 0 {
		t["x-message-ttl"] = o.ttl.Milliseconds()
	}
	if o.expiry > 0 {
		t["x-expires"] = o.expiry.Milliseconds()
	}
	if o.length > 0 {
		t["x-max-length"] = int64(o.length)
	}
	if dead != "" {
		t["x-dead-letter-exchange"], t["x-dead-letter-routing-key"] = "", dead
	}
	return t
}

// consumerOptions are the driver_options.amqp of a consumer.
type consumerOptions struct {
	exclusive, noLocal, noWait bool
	tag                        string
}

// ConsumerOptions reads driver_options.amqp of a consumer.
func (d *Driver) ConsumerOptions(r *fields.Reader) any {
	return consumerOptions{
		exclusive: r.Bool("exclusive", false), noLocal: r.Bool("no_local", false), noWait: r.Bool("no_wait", false),
		tag: r.String("consumer_tag", ""),
	}
}
