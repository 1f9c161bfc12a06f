// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"
)

// load sends requests, good and bad ones, and clients that leave.
func (l *life) load(ctx context.Context, seed uint64) {
	l.mu.Lock()
	address := l.address
	l.mu.Unlock()
	if address == "" {
		l.problem("the HTTP server does not say where it listens")
		return
	}
	random := rand.New(rand.NewPCG(seed, 2))
	client := http.Client{Timeout: 30 * time.Second}
	defer client.CloseIdleConnections()
	url := "http://" + address + "/echo"
	pause := time.NewTicker(5 * time.Millisecond)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
		var err error
		switch random.IntN(10) {
		case 0:
			err = l.bad(ctx, &client, url)
		case 1:
			leave(ctx, address, random)
		default:
			err = l.good(ctx, &client, url, random)
		}
		if err != nil && ctx.Err() == nil {
			l.problem("request: %v", err)
		}
	}
}

// good asks for a number to be doubled.
func (l *life) good(ctx context.Context, client *http.Client, url string, random *rand.Rand) error {
	n, text := random.IntN(1_000_000), strings.Repeat("é", random.IntN(2000))
	body := fmt.Sprintf(`{"n": %d, "text": %q}`, n, text)
	var answer struct {
		Doubled int
		Text    string
	}
	status, err := post(ctx, client, url, body, &answer)
	switch {
	case err != nil:
		return err
	case status != http.StatusOK || answer.Doubled != 2*n || answer.Text != text:
		return fmt.Errorf("status %d, %d doubled is %d, text of %d bytes has %d", status, n, answer.Doubled, len(text), len(answer.Text))
	}
	l.answered++
	return nil
}

// bad sends what must be refused.
func (l *life) bad(ctx context.Context, client *http.Client, url string) error {
	var answer struct{ Error string }
	status, err := post(ctx, client, url, `{"n": "many"`, &answer)
	switch {
	case err != nil:
		return err
	case status != http.StatusBadRequest || answer.Error == "":
		return fmt.Errorf("status %d for a broken body", status)
	}
	l.refused++
	return nil
}

func post(ctx context.Context, client *http.Client, url, body string, into any) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, json.Unmarshal(data, into)
}

// leave begins a request and goes away in the middle of it.
func leave(ctx context.Context, address string, random *rand.Rand) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return // the next request tells
	}
	defer c.Close()
	request := "POST /echo HTTP/1.1\r\nHost: soak\r\nContent-Length: 100\r\n\r\n{\"n\": 1, \"text\": \""
	_, _ = io.WriteString(c, request[:random.IntN(len(request))]) // whatever arrives of it
}
