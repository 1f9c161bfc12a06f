// SPDX-License-Identifier: Apache-2.0

package session

import "net/http"

// Capture is the writer a handler gets that may ask, by a header of its response, for something else than a
// response. It holds a status 200 back until there is a body or Release is called, and passes everything else
// on. The header that asks never reaches the client.
type Capture struct {
	http.ResponseWriter
	header string // that asks
	held   bool   // a status 200
	sent   bool   // something the client sees
}

// NewCapture returns a writer for a handler that may ask by the header of that name.
func NewCapture(w http.ResponseWriter, header string) *Capture {
	return &Capture{ResponseWriter: w, header: header}
}

// Unwrap lets http.ResponseController reach what is behind.
func (c *Capture) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (c *Capture) WriteHeader(status int) {
	if status == http.StatusOK && !c.sent && c.Header().Get(c.header) != "" {
		c.held = true
		return
	}
	if status >= 200 || status == http.StatusSwitchingProtocols { // others come before the response
		c.sent = true
		c.Header().Del(c.header)
	}
	c.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (c *Capture) Write(p []byte) (int, error) {
	c.begin()
	return c.ResponseWriter.Write(p)
}

// FlushError sends what there is of the response.
func (c *Capture) FlushError() error {
	c.begin()
	return http.NewResponseController(c.ResponseWriter).Flush()
}

func (c *Capture) begin() {
	if !c.sent {
		c.sent = true
		c.Header().Del(c.header)
		if c.held {
			c.ResponseWriter.WriteHeader(http.StatusOK)
		}
	}
}

// Asked returns the value of the header and whether the handler has left the response to whoever it asks. strict
// says that a status 200 counts as a response, too. The header is gone afterwards.
func (c *Capture) Asked(strict bool) (value string, ok bool) {
	value = c.Header().Get(c.header)
	c.Header().Del(c.header)
	return value, value != "" && !c.sent && !(strict && c.held)
}

// Release sends a status that was held back: nobody wants the response instead.
func (c *Capture) Release() {
	if c.held {
		c.begin()
	}
}
