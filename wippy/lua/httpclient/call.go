// SPDX-License-Identifier: Apache-2.0

package httpclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/owned"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/system/network"
)

// maxRedirects is how many redirects are followed.
const maxRedirects = 10

// call is one request under way.
type call struct {
	client          *Client
	method, address string
	options         *options
	ctx             context.Context
	cancel          context.CancelFunc
	guard           guard
	trace           http.Header      // what the request belongs to; nil for nothing
	overlay         *network.Network // nil for none
	noOverlay       error            // why there is none although one was chosen
	release         func() bool      // takes the call off what the process owns
}

// newCall makes the call of a request that is allowed so far. Its end is close.
func (m *module) newCall(p *engine.Process, method, address string, o *options) *call {
	c := &call{client: m.Client, method: method, address: address, options: o}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	frame := access.Frame(p)
	if m.Trace != nil {
		c.trace = http.Header{}
		m.Trace(frame, c.trace)
	}
	if o.unixSocket != "" {
		return c
	}
	c.overlay, c.noOverlay = m.Networks.For(frame, o.network)
	if c.guard = newGuard(m.Gate, frame); c.guard != nil {
		c.ctx = context.WithValue(c.ctx, guardKey{}, c.guard)
	}
	return c
}

// own makes the call end with the process p.
func (c *call) own(p *engine.Process) { c.release = owned.Add(p, c.cancel) }

// disown ends the call, which nobody needs any more, within its process.
func (c *call) disown() {
	c.release()
	c.cancel()
}

// do sends the request and reads its answer, as far as the options ask for it.
func (c *call) do() (*response, error) {
	began := time.Now()
	if err := c.check(); err != nil {
		return nil, err
	}
	return c.send(c.options.timeout - time.Since(began))
}

// check checks the address, in the time for the request.
func (c *call) check() error {
	u, err := url.Parse(c.address)
	if err != nil || c.guard == nil {
		return nil // the request will say what is wrong
	}
	ctx, cancel := context.WithTimeout(c.ctx, c.options.timeout)
	defer cancel()
	return c.guard.checkURL(ctx, u, c.overlay == nil)
}

// send does the work of do for an address that was checked.
func (c *call) send(timeout time.Duration) (*response, error) {
	req, err := c.options.build(c.ctx, c.method, c.address)
	if err != nil {
		return nil, failed(err)
	}
	for name, values := range c.trace {
		if _, own := req.Header[name]; !own {
			req.Header[name] = values
		}
	}
	if c.noOverlay != nil {
		return nil, failed(c.noOverlay)
	}
	transport, err := c.client.transport(c.options, c.overlay)
	if err != nil {
		return nil, failed(err)
	}
	// A time of 0 would be none at all.
	client := http.Client{Transport: transport, Timeout: max(timeout, 1), CheckRedirect: c.redirect}
	res, err := client.Do(req)
	if err != nil {
		return nil, failed(err)
	}
	out := &response{status: res.StatusCode, url: res.Request.URL.String(), header: res.Header, cookies: res.Cookies(), size: -1}
	if c.options.stream {
		out.stream = res.Body
		return out, nil
	}
	defer res.Body.Close()
	out.body, err = io.ReadAll(io.LimitReader(res.Body, c.options.maxBody+1))
	switch {
	case err != nil:
		return nil, failed(err)
	case int64(len(out.body)) > c.options.maxBody:
		return nil, failed(fmt.Errorf("response body too large (max %d bytes)", c.options.maxBody))
	}
	out.size = len(out.body)
	return out, nil
}

// redirect checks where a request is sent on to.
func (c *call) redirect(req *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
		return fmt.Errorf("stopped after %d redirects", maxRedirects)
	}
	return c.guard.checkURL(req.Context(), req.URL, c.overlay == nil)
}

// failed is the error of a request that was not answered. One that was not allowed keeps its kind.
func failed(err error) error {
	if denied, ok := errors.AsType[*engine.Error](err); ok {
		return denied
	}
	return engine.NewError(engine.KindInternal, err.Error()).WithCause(err).WithRetryable(true)
}
