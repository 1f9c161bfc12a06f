// SPDX-License-Identifier: Apache-2.0

package sql

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/service/host"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

// The kinds this package handles.
const (
	KindSQLite   = "db.sql.sqlite"
	KindPostgres = "db.sql.postgres"
	KindMySQL    = "db.sql.mysql"
)

// Kinds lists them.
func Kinds() []string { return []string{KindSQLite, KindPostgres, KindMySQL} }

// The types of databases, as programs see them.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
	MySQL    = "mysql"
)

// memoryFile is the file of a SQLite database that is kept in memory.
const memoryFile = ":memory:"

// defaultLifetime is how old a connection gets, unless the entry says otherwise.
const defaultLifetime = time.Hour

// config is the decoded form of an entry.
type config struct {
	dialect   string // SQLite, Postgres or MySQL
	dsn       string // what is connected to, in the form of the driver
	memory    bool   // a SQLite database without a file
	pool      limits
	lifecycle supervisor.Lifecycle

	server mysqlServer // of MySQL, in the place of dsn
}

// limits are the settings of a pool that change while it works.
type limits struct {
	maxOpen, maxIdle int
	maxLifetime      time.Duration
}

func decode(e registry.Entry, dir string) (config, []fields.Warning, error) {
	r := fields.New(e.Data)
	c := config{lifecycle: host.Lifecycle(r), pool: decodePool(r.Sub("pool"))}
	switch e.Kind {
	case KindSQLite:
		c.dialect = SQLite
		c.sqlite(r, dir)
	case KindPostgres:
		c.dialect = Postgres
		c.postgres(r)
	case KindMySQL:
		c.dialect = MySQL
		c.mysql(r)
	default:
		r.Report(&fields.Error{Path: "kind", Message: "not a database kind: " + e.Kind})
	}
	return c, r.Unknown(), r.Err()
}

func decodePool(r *fields.Reader) limits {
	open, _ := number(r, "max_open")
	idle, _ := number(r, "max_idle")
	return limits{maxOpen: open, maxIdle: idle, maxLifetime: r.Duration("max_lifetime", defaultLifetime)}
}

// number reads a whole number, 0 when absent. It may be text when it comes from an environment variable.
func number(r *fields.Reader, name string) (n int, ok bool) {
	var text string
	switch v := r.Any(name).(type) {
	case nil:
		return 0, true
	case int:
		return v, true
	case float64:
		text = strconv.FormatFloat(v, 'f', -1, 64)
	case string:
		text = strings.TrimSpace(v)
	default:
		r.Reject(name, fmt.Sprintf("%s must be a whole number, got %v", name, v))
		return 0, false
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		r.Reject(name, fmt.Sprintf("invalid %s value from env: %q is not a whole number", name, text))
	}
	return n, err == nil
}

// sqlite reads the fields of a database in a file or in memory. It has one connection, which is kept.
func (c *config) sqlite(r *fields.Reader, dir string) {
	file, _ := r.Scalar("file")
	r.Ignore("options")
	if file == "" {
		r.Reject("file", "file path is required")
		return
	}
	c.pool.maxOpen, c.pool.maxIdle = 1, 1
	c.memory = file == memoryFile
	c.dsn = sqliteDSN(file, dir)
	if c.memory {
		c.pool.maxLifetime = 0
	}
}

// address is where a server is and who connects to it.
type address struct {
	host, database, username, password string
	port                               int
	options                            map[string]string
}

// decodeServer reads what the kinds with a server have in common.
func decodeServer(r *fields.Reader) address {
	text := func(name string) string {
		v, _ := r.Scalar(name)
		if v == "" {
			r.Reject(name, name+" is required")
		}
		return v
	}
	a := address{host: text("host")}
	port, ok := number(r, "port")
	if ok && port <= 0 {
		r.Reject("port", "port must be greater than 0")
	}
	a.port = port
	a.database, a.username, a.password = text("database"), text("username"), text("password")
	a.options = decodeOptions(r)
	// Those that name no variable are left by whoever replaces placeholders.
	r.Ignore("host_env", "port_env", "database_env", "username_env", "password_env")
	return a
}

// decodeOptions reads a map of texts; numbers and booleans are taken as such.
func decodeOptions(r *fields.Reader) map[string]string {
	out := map[string]string{}
	options := r.Sub("options")
	all, _ := r.Any("options").(map[string]any)
	for _, k := range slices.Sorted(maps.Keys(all)) {
		if v, ok := options.Scalar(k); ok {
			out[k] = v
		}
	}
	return out
}

// postgres reads the fields of a database on a PostgreSQL server.
func (c *config) postgres(r *fields.Reader) {
	a := decodeServer(r)
	var b strings.Builder
	pair := func(key, value string) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(key + "=" + quotePostgres(value))
	}
	pair("host", a.host)
	pair("port", strconv.Itoa(a.port))
	pair("user", a.username)
	pair("password", a.password)
	pair("dbname", a.database)
	for _, k := range slices.Sorted(maps.Keys(a.options)) {
		pair(k, a.options[k])
	}
	c.dsn = b.String()
	if r.Err() == nil {
		if err := checkPostgres(c.dsn); err != nil {
			r.Reject("options", err.Error())
		}
	}
}

// quotePostgres quotes a value of a connection string where it has to be.
func quotePostgres(v string) string {
	if v != "" && !strings.ContainsAny(v, " \t\n\r'\\") {
		return v
	}
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(v) + "'"
}

// mysql reads the fields of a database on a MySQL or MariaDB server.
func (c *config) mysql(r *fields.Reader) {
	a := decodeServer(r)
	query := url.Values{}
	for k, v := range a.options {
		query.Set(k, v)
	}
	c.server = mysqlServer{
		user: a.username, password: a.password, database: a.database,
		address: net.JoinHostPort(a.host, strconv.Itoa(a.port)), options: query.Encode(),
	}
	c.dsn = c.server.dsn()
	if r.Err() == nil {
		if _, err := c.server.config(); err != nil {
			r.Reject("options", err.Error())
		}
	}
}
