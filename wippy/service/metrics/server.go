// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/wippyrun/kit/wippy/system/metrics"
)

// Server offers metrics and health over HTTP. Its fields are set before Start.
type Server struct {
	Address string
	Metrics *metrics.Metrics
	Checks  *Checks
	Profile bool // also /debug/pprof
	Log     *slog.Logger

	http     *http.Server
	listener net.Listener
	ended    chan struct{}
}

// Limits of a connection: scrapes are small and short.
const (
	readLimit = 10 * time.Second
	idleLimit = 2 * time.Minute
)

// Start listens and serves. The error is that of listening.
func (s *Server) Start() error {
	listener, err := net.Listen("tcp", s.Address)
	if err != nil {
		return fmt.Errorf("prometheus.address: %w", err)
	}
	s.listener, s.ended = listener, make(chan struct{})
	s.http = &http.Server{Handler: s.Handler(), ReadTimeout: readLimit, IdleTimeout: idleLimit, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug)}
	s.Log.Info("serving metrics", "url", "http://"+listener.Addr().String()+"/metrics")
	go func() {
		defer close(s.ended)
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.Log.Error("metrics are not served any more", "error", err)
		}
	}()
	return nil
}

// Addr is where the server listens, nil before Start.
func (s *Server) Addr() net.Addr {
	if s.listener == nil {
		return nil
	}
	return s.listener.Addr()
}

// Stop ends the server: requests under way have until the end of ctx. A server that was not started
// has nothing to stop.
func (s *Server) Stop(ctx context.Context) error {
	if s.http == nil {
		return nil
	}
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	<-s.ended
	return err
}

// Handler answers /metrics and /livez, and /debug/pprof when Profile is set.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(Gatherer(s.Metrics), promhttp.HandlerOpts{
		ErrorLog:      slog.NewLogLogger(s.Log.Handler(), slog.LevelWarn),
		ErrorHandling: promhttp.ContinueOnError, // better most of the metrics than none
	}))
	mux.HandleFunc("GET /livez", s.live)
	if s.Profile {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	return mux
}

func (s *Server) live(w http.ResponseWriter, _ *http.Request) {
	text, ok := s.Checks.Report()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if !ok {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _ = io.WriteString(w, text)
}
