// SPDX-License-Identifier: Apache-2.0

package sqltest

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
)

// find returns a program, in the search path or in one of the places the patterns name.
func find(name string, patterns ...string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, pattern := range patterns {
		found, _ := filepath.Glob(filepath.Join(pattern, name))
		slices.Sort(found)
		if len(found) > 0 {
			return found[len(found)-1], nil
		}
	}
	return "", fmt.Errorf("%s %w", name, errMissing)
}

// newPostgres makes a cluster and serves it. Nothing is synced: a killed server keeps what the kernel has.
func newPostgres() (*Server, error) {
	program, err := find("postgres", "/usr/lib/postgresql/*/bin", "/usr/local/*/bin")
	if err != nil {
		return nil, err
	}
	s, err := newServer("db.sql.postgres", "postgres")
	if err != nil {
		return nil, err
	}
	s.Database = "postgres"
	password, err := s.file("password", s.Password+"\n")
	if err != nil {
		return nil, err
	}
	data := filepath.Join(s.dir, "data")
	err = s.run(filepath.Join(filepath.Dir(program), "initdb"), "-D", data, "-U", s.User, "--pwfile", password,
		"--auth=scram-sha-256", "--no-sync", "--encoding=UTF8", "--locale=C")
	if err != nil {
		return nil, err
	}
	s.ready, s.signal = "database system is ready to accept connections", "QUIT"
	s.command = []string{program, "-D", data, "-p", strconv.Itoa(s.Port), "-h", s.Host, "-k", s.dir,
		"-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "max_connections=50", "-c", "log_min_messages=log"}
	return s.launch()
}

// newMariaDB makes a data directory and serves it.
func newMariaDB() (*Server, error) {
	program, err := find("mariadbd", "/usr/sbin", "/usr/local/sbin")
	if err != nil {
		return nil, err
	}
	install, err := find("mariadb-install-db")
	if err != nil {
		return nil, err
	}
	s, err := newServer("db.sql.mysql", "mysql")
	if err != nil {
		return nil, err
	}
	data := filepath.Join(s.dir, "data")
	if err := s.run(install, "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal", "--skip-test-db"); err != nil {
		return nil, err
	}
	first, err := s.file("first.sql", "CREATE DATABASE IF NOT EXISTS wippy;\n"+
		"CREATE USER IF NOT EXISTS wippy@localhost IDENTIFIED BY 'it''s a \\\\secret/:@?#';\n"+
		"CREATE USER IF NOT EXISTS wippy@'127.0.0.1' IDENTIFIED BY 'it''s a \\\\secret/:@?#';\n"+
		"GRANT ALL ON *.* TO wippy@localhost;\nGRANT ALL ON *.* TO wippy@'127.0.0.1';\n")
	if err != nil {
		return nil, err
	}
	s.ready, s.signal = "ready for connections", "KILL"
	s.command = []string{program, "--no-defaults", "--datadir=" + data, "--bind-address=" + s.Host, "--port=" + strconv.Itoa(s.Port),
		"--socket=" + filepath.Join(s.dir, "socket"), "--pid-file=" + filepath.Join(s.dir, "pid"), "--init-file=" + first,
		"--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M", "--innodb-flush-log-at-trx-commit=0",
		"--performance-schema=OFF", "--skip-log-bin", "--character-set-server=utf8mb4"}
	return s.launch()
}
