// SPDX-License-Identifier: Apache-2.0

// Package control lets people look at a running node, and start and stop its services, from other programs of the same
// user: HTTP with JSON over a Unix socket.
//
// # Basics
//
// A node serves on the socket <pid>.sock of [Dir]. A client finds the nodes that run with [Find].
//
//	GET  /node                                  inspect.NodeInfo
//	GET  /processes?match=&order=&limit=&memory=  Processes
//	GET  /services                              []inspect.Service
//	POST /services/start?id=, /stop?id=         inspect.Service, when it is done
//	GET  /events?system=&kind=                  Event, one line each, until the client leaves
//
// Failures have a status of 400 or above and the body {"error": "…"}.
//
// # Guarantees
//
//   - Only the user who runs the node, and root, can connect: the directory of the socket belongs to the user alone,
//     or nothing is served (TestForeignDirectoryIsRefused).
//   - A client that reads events too slowly loses the oldest and is told how many (TestSlowReaderIsTold). It never
//     holds up the node.
//   - What a killed node left behind is removed by whoever finds it (TestLeftoversAreRemoved).
package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/wippyrun/kit/eventbus"
	"github.com/wippyrun/kit/wippy/system/inspect"
)

// Dir is where the sockets of this user's nodes are: in the run-time directory of the session, else in a directory of
// the user among the temporary files.
func Dir() string {
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		return filepath.Join(dir, "wippy")
	}
	return filepath.Join(os.TempDir(), "wippy-"+strconv.Itoa(os.Getuid()))
}

// maxPath is the longest name of a Unix socket on all systems.
const maxPath = 103

// Server serves one node. Make one with [Listen].
type Server struct {
	path     string
	http     http.Server
	listener net.Listener
	cancel   context.CancelFunc // ends streams of events
	done     sync.WaitGroup
}

// Node is what a server shows.
type Node struct {
	Inspector *inspect.Inspector
	Bus       *eventbus.Bus
	Log       *slog.Logger
}

// Listen serves node on a socket in dir, usually [Dir], which is made when it does not exist.
func Listen(dir string, node Node) (*Server, error) {
	if err := private(dir); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, strconv.Itoa(os.Getpid())+".sock")
	for n := 2; alive(path); n++ { // another node in this program, or one with the same id in another container
		path = filepath.Join(dir, fmt.Sprintf("%d-%d.sock", os.Getpid(), n))
	}
	if len(path) > maxPath {
		return nil, fmt.Errorf("the name of the socket is too long: %s", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{path: path, listener: listener, cancel: cancel}
	s.http = http.Server{
		Handler:           (&handler{node}).routes(),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(node.Log.Handler(), slog.LevelDebug),
	}
	s.done.Go(func() { _ = s.http.Serve(listener) }) // ends with Close, or when the socket breaks: then nobody can look any more
	return s, nil
}

// Path is the name of the socket.
func (s *Server) Path() string { return s.path }

// Close ends all connections and removes the socket.
func (s *Server) Close() error {
	s.cancel()
	err := s.http.Close()
	s.done.Wait()
	return err
}

// private makes sure that dir exists and belongs to this user alone.
func private(dir string) error {
	if err := os.Mkdir(dir, 0o700); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is no directory", dir)
	case !owned(info):
		return fmt.Errorf("%s belongs to somebody else", dir)
	case info.Mode().Perm()&0o077 != 0:
		return os.Chmod(dir, 0o700)
	}
	return nil
}

// alive tells whether somebody serves on a socket.
func alive(path string) bool {
	c, err := net.DialTimeout("unix", path, time.Second)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}
