// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/wippyrun/kit/loader"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/internode"
)

// internodeComponent connects this node with those of relay.peers, when there are any.
func (r *Runtime) internodeComponent(dependsOn ...string) loader.Component {
	var transport *internode.Transport
	return loader.Component{
		Name:      Internode,
		DependsOn: dependsOn,
		Start: func(context.Context) error {
			config, err := r.internodeConfig()
			if err != nil || len(config.Peers) == 0 {
				return err
			}
			transport, err = internode.Listen(config)
			if err != nil {
				return fmt.Errorf("relay: %w", err)
			}
			r.transport.Store(transport)
			KeyRemote.MustGet(r.dict).Connect(transport.Send)
			r.router.SetInternode(KeyRemote.MustGet(r.dict))
			if a := transport.Addr(); a != nil {
				config.Log.Info("listening for other nodes", "node", config.Node, "address", a.String())
			}
			return nil
		},
		Stop: func(context.Context) error {
			if transport != nil {
				r.router.SetInternode(nil)
				transport.Stop()
			}
			return nil
		},
	}
}

// internodeConfig is the section relay. There are no peers when it names none.
func (r *Runtime) internodeConfig() (internode.Config, error) {
	remote := KeyRemote.MustGet(r.dict)
	c := internode.Config{
		Node:       KeyNode.MustGet(r.dict).Name(),
		Listen:     r.config.String("relay", "listen", ""),
		Peers:      map[string]string{},
		Deliver:    remote.Deliver,
		Up:         remote.Up,
		Down:       remote.Down,
		Transcoder: KeyTranscoder.MustGet(r.dict),
		Log:        r.log.With("logger", "internode"),
		Beat:       r.config.Duration("relay", "heartbeat", time.Second),
	}
	c.Patience = r.config.Duration("relay", "patience", 4*c.Beat)
	for name, v := range r.config.Sub("relay", "peers") {
		address, ok := v.(string)
		if !ok {
			return c, fmt.Errorf("relay.peers.%s: not an address", name)
		}
		c.Peers[name] = address
	}
	if len(c.Peers) == 0 {
		return c, nil
	}
	if c.Node == relay.LocalNode {
		return c, errors.New("relay.node_name: a node with relay.peers needs a name other than " + relay.LocalNode)
	}
	secret, err := r.relaySecret()
	if err != nil {
		return c, err
	}
	c.Secret = []byte(secret)
	c.TLS, err = r.relayTLS()
	return c, err
}

// relaySecret is what nodes prove to know: relay.secret, or the trimmed content of
// relay.secret_file.
func (r *Runtime) relaySecret() (string, error) {
	secret := r.config.String("relay", "secret", "")
	if file := r.config.String("relay", "secret_file", ""); secret == "" && file != "" {
		b, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("relay.secret_file: %w", err)
		}
		secret = strings.TrimSpace(string(b))
	}
	if secret == "" {
		return "", errors.New("relay.secret: a node with relay.peers needs relay.secret or relay.secret_file")
	}
	return secret, nil
}

// relayTLS is relay.tls with cert_file, key_file and ca_file, nil when there is none. Both
// sides show a certificate that ca_file has signed.
func (r *Runtime) relayTLS() (*tls.Config, error) {
	if len(r.config.Sub("relay", "tls")) == 0 {
		return nil, nil
	}
	cert, err := tls.LoadX509KeyPair(r.config.String("relay", "tls.cert_file", ""), r.config.String("relay", "tls.key_file", ""))
	if err != nil {
		return nil, fmt.Errorf("relay.tls: %w", err)
	}
	pem, err := os.ReadFile(r.config.String("relay", "tls.ca_file", ""))
	if err != nil {
		return nil, fmt.Errorf("relay.tls.ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("relay.tls.ca_file: no certificate in it")
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{cert},
		RootCAs: pool, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
	}, nil
}
