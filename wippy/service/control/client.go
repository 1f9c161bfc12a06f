// SPDX-License-Identifier: Apache-2.0

package control

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/wippyrun/kit/wippy/system/inspect"
)

// Client talks to one node. All methods may be called concurrently.
type Client struct {
	Node inspect.NodeInfo // as it was when the client was made
	path string
	http http.Client
}

// Connect makes a client of the node that serves on a socket.
func Connect(ctx context.Context, path string) (*Client, error) {
	c := &Client{path: path}
	c.http.Transport = &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		},
		MaxIdleConns: 1,
	}
	var err error
	if c.Node, err = c.Info(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Close gives the connection up.
func (c *Client) Close() { c.http.CloseIdleConnections() }

const (
	// lookTime is how long a node that is found may take to say who it is.
	lookTime = 3 * time.Second
	// startTime is how long a node may take from the making of its socket to serving on it.
	startTime = time.Minute
)

// Find returns clients of the nodes that serve in dir, the oldest node first. Sockets that nobody serves on any more are
// removed: those of programs that have ended and those that are older than a minute. A younger one may be of a node that
// starts. A node that does not answer in time is left out.
func Find(ctx context.Context, dir string) ([]*Client, error) {
	sockets, err := filepath.Glob(filepath.Join(dir, "*.sock"))
	if err != nil {
		return nil, err
	}
	var found []*Client
	for _, path := range sockets {
		ctx, cancel := context.WithTimeout(ctx, lookTime)
		c, err := Connect(ctx, path)
		cancel()
		switch {
		case err == nil:
			found = append(found, c)
		case errors.Is(err, syscall.ECONNREFUSED):
			if info, err := os.Lstat(path); err == nil && (!runs(path) || time.Since(info.ModTime()) > startTime) {
				_ = os.Remove(path) // what is left of a node that was killed
			}
		}
	}
	slices.SortFunc(found, func(a, b *Client) int {
		return cmp.Or(a.Node.StartedAt.Compare(b.Node.StartedAt), cmp.Compare(a.path, b.path))
	})
	return found, nil
}

// runs tells whether there is a program with the id that a socket has in its name: the one that made the socket, or
// another that got its id later.
func runs(path string) bool {
	id, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(path), ".sock"), "-")
	pid, err := strconv.Atoi(id)
	if err != nil {
		return true // as far as one knows
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	defer func() { _ = p.Release() }() // it fails when the program has ended
	return !errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone)
}

// Info describes the node.
func (c *Client) Info(ctx context.Context) (info inspect.NodeInfo, err error) {
	return info, c.call(ctx, http.MethodGet, "/node", nil, &info)
}

// Processes lists processes.
func (c *Client) Processes(ctx context.Context, q inspect.Query) (list Processes, err error) {
	values := url.Values{"match": {q.Match}, "order": {q.Order}, "limit": {strconv.Itoa(q.Limit)}}
	if q.Memory {
		values.Set("memory", "1")
	}
	return list, c.call(ctx, http.MethodGet, "/processes", values, &list)
}

// Services lists services.
func (c *Client) Services(ctx context.Context) (list []inspect.Service, err error) {
	return list, c.call(ctx, http.MethodGet, "/services", nil, &list)
}

// StartService starts a service, and what it depends on, and waits until it runs.
func (c *Client) StartService(ctx context.Context, id string) (s inspect.Service, err error) {
	return s, c.call(ctx, http.MethodPost, "/services/start", url.Values{"id": {id}}, &s)
}

// StopService stops a service, and what depends on it, and waits until it is down.
func (c *Client) StopService(ctx context.Context, id string) (s inspect.Service, err error) {
	return s, c.call(ctx, http.MethodPost, "/services/stop", url.Values{"id": {id}}, &s)
}

// Events calls f for each event whose system and kind match the patterns, "" for all, until ctx or the node ends or f
// returns an error.
func (c *Client) Events(ctx context.Context, system, kind string, f func(Event) error) error {
	r, err := c.open(ctx, http.MethodGet, "/events", url.Values{"system": {system}, "kind": {kind}})
	if err != nil {
		return err
	}
	defer r.Close()
	in := json.NewDecoder(bufio.NewReader(r))
	for {
		var e Event
		switch err := in.Decode(&e); {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		if err := f(e); err != nil {
			return err
		}
	}
}

func (c *Client) call(ctx context.Context, method, path string, values url.Values, into any) error {
	r, err := c.open(ctx, method, path, values)
	if err != nil {
		return err
	}
	defer r.Close()
	return json.NewDecoder(r).Decode(into)
}

// open sends a request and returns the body of the answer, or the error it carries.
func (c *Client) open(ctx context.Context, method, path string, values url.Values) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://node"+path+"?"+values.Encode(), nil)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // the URL says nothing to people
		}
		return nil, fmt.Errorf("the node does not answer: %w", err)
	}
	if response.StatusCode < http.StatusBadRequest {
		return response.Body, nil
	}
	defer response.Body.Close()
	var failure struct {
		Error string `json:"error"`
	}
	if err := json.NewDecoder(response.Body).Decode(&failure); err != nil || failure.Error == "" {
		return nil, fmt.Errorf("the node answers %s", response.Status)
	}
	return nil, errors.New(failure.Error)
}
