// SPDX-License-Identifier: Apache-2.0

package amqp_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	rabbit "github.com/rabbitmq/amqp091-go"

	"github.com/wippyrun/kit/wippy/internal/porttest"
)

// script starts RabbitMQ without looking at who we are, unlike the one in the path.
const script = "/usr/lib/rabbitmq/bin/rabbitmq-server"

// brokerConfig lets a client in by its name and password, or by its certificate.
const brokerConfig = `listeners.tcp.1 = 127.0.0.1:%d
listeners.ssl.1 = 127.0.0.1:%d
ssl_options.cacertfile = %[3]s/ca.pem
ssl_options.certfile = %[3]s/server.pem
ssl_options.keyfile = %[3]s/server.key
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = false
ssl_cert_login_from = common_name
auth_mechanisms.1 = PLAIN
auth_mechanisms.2 = AMQPLAIN
auth_mechanisms.3 = EXTERNAL
log.console = true
log.console.level = info
log.file = false
`

// broker is a RabbitMQ of the tests' own: directory, ports, cookie, port mapper.
type broker struct {
	dir                        string
	port, secure, dist, mapper int
	certificates               *certificates
	epmd, server               *exec.Cmd
	silent                     chan struct{} // closed when nothing writes to the log any more
}

var shared struct {
	once sync.Once
	b    *broker
	err  error
}

// startBroker returns the broker of all tests. Without RabbitMQ it is nil and the test says
// that it is left out; where the whole verification runs, it fails instead.
func startBroker(t *testing.T) *broker {
	t.Helper()
	if _, err := exec.LookPath(script); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("RabbitMQ is not installed: " + script)
		}
		t.Attr("left-out", "RabbitMQ is not installed")
		return nil
	}
	shared.once.Do(func() {
		if shared.b, shared.err = newBroker(); shared.err == nil {
			shared.err = shared.b.run()
		}
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.b
}

func stopBroker() {
	if shared.b != nil {
		shared.b.close()
	}
}

func newBroker() (_ *broker, err error) {
	b := &broker{}
	if b.dir, err = os.MkdirTemp("", "rabbitmq-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	for _, port := range []*int{&b.port, &b.secure, &b.dist, &b.mapper} {
		if *port, _, err = porttest.Keep(); err != nil { // as long as the test binary runs
			return nil, err
		}
	}
	if b.certificates, err = newCertificates(); err != nil {
		return nil, err
	}
	config := fmt.Sprintf(brokerConfig, b.port, b.secure, b.dir)
	for name, text := range map[string]string{
		"rabbitmq.conf": config, "enabled_plugins": "[rabbitmq_auth_mechanism_ssl].", "env.conf": "",
		"ca.pem": b.certificates.ca, "server.pem": b.certificates.server.cert, "server.key": b.certificates.server.key,
	} {
		if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// run starts the server, with the data it had before, and waits until it answers.
func (b *broker) run() error {
	if b.epmd == nil {
		b.epmd = exec.Command("epmd", "-port", fmt.Sprint(b.mapper), "-address", "127.0.0.1")
		if err := b.epmd.Start(); err != nil {
			return err
		}
	}
	b.server = exec.Command(script)
	b.server.Dir = b.dir
	b.server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	for name, value := range map[string]string{
		"NODENAME": "tests@localhost", "NODE_PORT": fmt.Sprint(b.port), "DIST_PORT": fmt.Sprint(b.dist), "MNESIA_BASE": b.dir + "/data",
		"LOG_BASE": b.dir + "/log", "CONFIG_FILE": b.dir + "/rabbitmq.conf", "ENABLED_PLUGINS_FILE": b.dir + "/enabled_plugins",
		"CONF_ENV_FILE": b.dir + "/env.conf", "PID_FILE": b.dir + "/pid", "SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
	} {
		b.server.Env = append(b.server.Env, "RABBITMQ_"+name+"="+value)
	}
	b.server.Env = append(b.server.Env, "HOME="+b.dir, "PATH="+os.Getenv("PATH"), fmt.Sprintf("ERL_EPMD_PORT=%d", b.mapper), "ERL_EPMD_ADDRESS=127.0.0.1")
	out, in, err := os.Pipe()
	if err != nil {
		return err
	}
	b.server.Stdout, b.server.Stderr = in, in
	if err := b.server.Start(); err != nil {
		return err
	}
	in.Close()
	ready, silent := make(chan error, 1), make(chan struct{})
	b.silent = silent
	go func() {
		defer close(silent)
		defer out.Close()
		var said strings.Builder
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			fmt.Fprintln(&said, lines.Text())
			if strings.Contains(lines.Text(), "Server startup complete") {
				ready <- nil
				_, _ = io.Copy(io.Discard, out) // the pipe must not fill
				return
			}
		}
		ready <- errors.New("rabbitmq-server ended:\n" + said.String())
	}()
	select {
	case err := <-ready:
		return err
	case <-time.After(2 * time.Minute):
		return errors.New("rabbitmq-server does not start")
	}
}

// kill ends the server as a power cut does.
func (b *broker) kill() {
	if b.server != nil {
		_ = syscall.Kill(-b.server.Process.Pid, syscall.SIGKILL)
		_ = b.server.Wait()
		<-b.silent
		b.server = nil
	}
}

func (b *broker) close() {
	b.kill()
	if b.epmd != nil {
		_ = b.epmd.Process.Kill()
		_ = b.epmd.Wait()
	}
	_ = os.RemoveAll(b.dir)
}

// dial makes a client of a test's own, which ends with the test.
func (b *broker) dial(t *testing.T) (*rabbit.Connection, *rabbit.Channel) {
	t.Helper()
	conn, err := rabbit.Dial(b.url())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // the test may have closed it, or killed the broker
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return conn, ch
}

// secureURL is its address over TLS.
func (b *broker) secureURL() string {
	return fmt.Sprintf("amqps://guest:guest@127.0.0.1:%d/", b.secure)
}

func (b *broker) url() string { return fmt.Sprintf("amqp://guest:guest@127.0.0.1:%d/", b.port) }
