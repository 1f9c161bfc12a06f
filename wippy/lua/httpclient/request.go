// SPDX-License-Identifier: Apache-2.0

package httpclient

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// build makes the HTTP request. It reads the readers among the files to their end.
func (o *options) build(ctx context.Context, method, address string) (*http.Request, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	if len(o.query) > 0 {
		q := u.Query()
		for name, value := range o.query {
			q.Set(name, value)
		}
		u.RawQuery = q.Encode()
	}
	body, contentType, err := o.content()
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, err
	}
	for name, value := range o.headers {
		if http.CanonicalHeaderKey(name) == "Host" {
			req.Host = value
			continue
		}
		req.Header.Add(name, value)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for _, name := range slices.Sorted(maps.Keys(o.cookies)) {
		req.AddCookie(&http.Cookie{Name: name, Value: o.cookies[name]})
	}
	if o.user != "" {
		req.SetBasicAuth(o.user, o.password)
	}
	return req, nil
}

// content is the body of the request and the type it announces by itself: files before a form before a text.
func (o *options) content() (body io.Reader, contentType string, err error) {
	switch {
	case len(o.files) > 0:
		return o.multipart()
	case len(o.form) > 0:
		values := url.Values{}
		for name, value := range o.form {
			values.Set(name, value)
		}
		return strings.NewReader(values.Encode()), "application/x-www-form-urlencoded", nil
	case o.body != "":
		return strings.NewReader(o.body), "", nil
	}
	return http.NoBody, "", nil
}

// multipart writes the form with its files. All of it is in memory: a redirect or a connection that broke may
// need it again.
func (o *options) multipart() (io.Reader, string, error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(o.form)) {
		if err := w.WriteField(name, o.form[name]); err != nil {
			return nil, "", err
		}
	}
	for _, f := range o.files {
		part, err := w.CreateFormFile(f.name, f.filename)
		if err != nil {
			return nil, "", err
		}
		source := f.reader
		if source == nil {
			source = strings.NewReader(f.content)
		}
		if _, err := io.Copy(part, source); err != nil {
			return nil, "", fmt.Errorf("read %s: %w", f.filename, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, "", err
	}
	return bytes.NewReader(b.Bytes()), w.FormDataContentType(), nil
}
