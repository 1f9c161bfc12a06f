// SPDX-License-Identifier: Apache-2.0

package sql

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
)

// sqliteDSN is the name of a database for the driver. A file is created when it does not exist, its directory is
// not. A name may carry settings of the driver behind a question mark.
func sqliteDSN(file, dir string) string {
	if file == memoryFile {
		return file
	}
	name, settings, has := strings.Cut(file, "?")
	if !filepath.IsAbs(name) && dir != "" {
		name = filepath.Join(dir, name)
	}
	name = strings.NewReplacer("%", "%25", "#", "%23").Replace(name)
	if has && settings != "" {
		settings += "&"
	}
	return "file:" + name + "?" + settings + "mode=rwc"
}

// openSQLite opens a database at once: a file that cannot be used is a mistake of the entry.
func openSQLite(ctx context.Context, c config) (*sql.DB, error) {
	connector, err := sqlite.NewConnector(c.dsn)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	if _, err := db.ExecContext(ctx, "PRAGMA journal_mode=WAL"); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("cannot open database %s: %w", c.dsn, err)
	}
	return db, nil
}
