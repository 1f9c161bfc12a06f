// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// The protocols.
const (
	HTTP = "http/protobuf" // also "http"
	GRPC = "grpc"
)

// Config says what is sent where.
type Config struct {
	Endpoint string // host:port; a scheme in front is left out
	Protocol string // HTTP, which is the default, or GRPC
	Insecure bool   // without TLS

	ServiceName    string
	ServiceVersion string // "" for none
	// SampleRate is the share of traces that are kept, from 0 to 1. One that comes from elsewhere is kept
	// when it was kept there.
	SampleRate float64
	Traces     bool
	// Metrics returns what is counted; nil sends no metrics.
	Metrics func() []Metric

	// Report is told about what could not be sent. It must not block. nil tells nobody.
	Report func(error)

	TraceInterval  time.Duration // between two batches of spans; default 2s
	MetricInterval time.Duration // between two exports of metrics; default 30s

	_ struct{}
}

// How much is sent at once and kept until then.
const (
	batchSize = 512
	queueSize = 2048
)

const (
	traceInterval  = 2 * time.Second
	metricInterval = 30 * time.Second
	// sendTimeout bounds one attempt to send, retryTime all attempts for one batch.
	sendTimeout = 10 * time.Second
	retryTime   = 30 * time.Second
)

// normal fills in defaults and checks the rest.
func (c Config) normal() (Config, error) {
	if _, rest, ok := strings.Cut(c.Endpoint, "://"); ok {
		c.Endpoint = rest
	}
	c.Endpoint = strings.TrimRight(c.Endpoint, "/")
	if c.Endpoint == "" {
		return c, errors.New("endpoint is required")
	}
	switch c.Protocol {
	case "", "http", HTTP:
		c.Protocol = HTTP
	case GRPC:
	default:
		return c, fmt.Errorf("unknown protocol %q (http/protobuf or grpc)", c.Protocol)
	}
	if !(c.SampleRate >= 0 && c.SampleRate <= 1) {
		return c, fmt.Errorf("sample rate %v is not between 0 and 1", c.SampleRate)
	}
	if c.TraceInterval <= 0 {
		c.TraceInterval = traceInterval
	}
	if c.MetricInterval <= 0 {
		c.MetricInterval = metricInterval
	}
	if c.Report == nil {
		c.Report = func(error) {}
	}
	return c, nil
}
