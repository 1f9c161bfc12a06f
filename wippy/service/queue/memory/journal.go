// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/service/queue"
	"github.com/wippyrun/kit/wippy/system/fault"
)

const (
	// applicationID marks the file as one of ours ("wque"), for file(1) and for open.
	applicationID = 0x77717565
	schemaVersion = 2
	schema        = `CREATE TABLE messages (seq INTEGER PRIMARY KEY, queue TEXT NOT NULL, id TEXT NOT NULL, attempts INTEGER NOT NULL,
	headers BLOB NOT NULL, format TEXT NOT NULL, body BLOB NOT NULL, ` + dueColumn + `)`
	// dueColumn is when a message that failed may come again, in microseconds since 1970. Version 1 had none.
	dueColumn = `due INTEGER NOT NULL DEFAULT 0`
	// maxBatch is how many changes go into one transaction: enough for the write to the
	// disk to cost less than the statements.
	maxBatch = 512
)

// journal is the file in which messages outlive the program. One goroutine writes what
// everybody wants to have written since it wrote last, as one transaction.
type journal struct {
	db         *sql.DB
	transcoder *payload.Transcoder
	ended      chan struct{}
	wake       chan struct{} // has room for one

	mu     sync.Mutex // guards all below
	queued []change
	row    int64 // of the latest message
	closed bool
}

// change is one thing to write. then hears how it went, in the order of changes, on the
// goroutine that writes.
type change struct {
	write func(s *statements) error
	then  func(err error)
}

type statements struct{ insert, remove, retry *sql.Stmt }

var errJournalClosed = queue.ErrDown

// openJournal opens or makes the file.
func openJournal(ctx context.Context, path, synchronous string, t *payload.Transcoder) (_ *journal, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	q := url.Values{}
	for _, pragma := range []string{"locking_mode(EXCLUSIVE)", "journal_mode(WAL)", "synchronous(" + synchronous + ")", "busy_timeout(2000)"} {
		q.Add("_pragma", pragma)
	}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+q.Encode())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	defer func() {
		if err != nil {
			if strings.Contains(err.Error(), "database is locked") {
				err = errors.New("the file is in use by another program or driver")
			}
			err = fault.Wrap(fault.Unavailable, "queue file "+path, errors.Join(err, db.Close()))
		}
	}()
	j := &journal{db: db, transcoder: t, ended: make(chan struct{}), wake: make(chan struct{}, 1)}
	if err := j.prepare(ctx); err != nil {
		return nil, err
	}
	s := &statements{}
	for text, stmt := range map[string]**sql.Stmt{
		`INSERT INTO messages (seq, queue, id, attempts, headers, format, body) VALUES (?, ?, ?, ?, ?, ?, ?)`: &s.insert,
		`DELETE FROM messages WHERE seq = ?`:                               &s.remove,
		`UPDATE messages SET seq = ?, attempts = ?, due = ? WHERE seq = ?`: &s.retry,
	} {
		if *stmt, err = db.PrepareContext(ctx, text); err != nil {
			return nil, err
		}
	}
	go j.writer(s)
	return j, nil
}

// prepare checks the file, gives a new one its table, and finds the latest row.
func (j *journal) prepare(ctx context.Context) error {
	var app, version, tables int
	var check string
	for pragma, target := range map[string]any{"application_id": &app, "user_version": &version, "quick_check(1)": &check} {
		if err := j.db.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(target); err != nil {
			return err
		}
	}
	if err := j.db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master").Scan(&tables); err != nil {
		return err
	}
	switch {
	case check != "ok":
		return fmt.Errorf("the file is damaged: %s; move it away to begin with empty queues", check)
	case tables == 0:
		for _, statement := range []string{"BEGIN IMMEDIATE", schema, fmt.Sprintf("PRAGMA application_id = %d", applicationID),
			fmt.Sprintf("PRAGMA user_version = %d", schemaVersion), "COMMIT"} {
			if _, err := j.db.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
	case app != applicationID:
		return errors.New("the file is the database of another program")
	case version == 1:
		for _, statement := range []string{"BEGIN IMMEDIATE", "ALTER TABLE messages ADD COLUMN " + dueColumn,
			fmt.Sprintf("PRAGMA user_version = %d", schemaVersion), "COMMIT"} {
			if _, err := j.db.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
	case version != schemaVersion:
		return fmt.Errorf("the file has version %d, this program knows %d", version, schemaVersion)
	}
	return j.db.QueryRowContext(ctx, "SELECT coalesce(max(seq), 0) FROM messages").Scan(&j.row)
}

// load returns the messages of a queue in their order.
func (j *journal) load(ctx context.Context, id string) ([]*item, error) {
	rows, err := j.db.QueryContext(ctx, `SELECT seq, id, attempts, headers, format, body, due FROM messages WHERE queue = ? ORDER BY seq`, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var items []*item
	for rows.Next() {
		it := &item{m: &queue.Message{}}
		var headers, body []byte
		var due int64
		if err := rows.Scan(&it.row, &it.m.ID, &it.failed, &headers, &it.m.Body.Format, &body, &due); err != nil {
			return nil, err
		}
		if due > 0 {
			it.due = time.UnixMicro(due)
		}
		decoded, err := j.transcoder.Transcode(payload.Payload{Format: payload.Msgpack, Data: headers}, payload.Go)
		if err != nil {
			return nil, fmt.Errorf("headers of message %s: %w", it.m.ID, err)
		}
		it.m.Headers, _ = decoded.Data.(map[string]any)
		it.m.Body.Data = body
		if it.m.Body.Format == payload.String {
			it.m.Body.Data = string(body)
		}
		it.key = it.m.Partition()
		items = append(items, it)
	}
	return items, rows.Err()
}

// encode gives a message the form in which it is kept.
func (j *journal) encode(m *queue.Message) (*queue.Message, error) {
	switch m.Body.Format {
	case payload.JSON, payload.YAML, payload.String, payload.Bytes, payload.Msgpack:
		if octetsOf(m.Body.Data) != nil {
			return m, nil
		}
	}
	body, err := j.transcoder.Transcode(m.Body, payload.Msgpack)
	if err != nil {
		return nil, err
	}
	return &queue.Message{ID: m.ID, Headers: m.Headers, Body: body}, nil
}

// octetsOf returns bytes or text as bytes, nil for anything else.
func octetsOf(data any) []byte {
	switch v := data.(type) {
	case []byte:
		if v == nil {
			return []byte{}
		}
		return v
	case string:
		return append([]byte{}, v...)
	}
	return nil
}

// insertion is the change that writes a message, which must be encoded; it gets its row
// when it is submitted.
func (j *journal) insertion(id string, it *item) (func(s *statements) error, error) {
	headers, err := j.transcoder.Transcode(payload.Payload{Format: payload.Go, Data: it.m.Headers}, payload.Msgpack)
	if err != nil {
		return nil, err
	}
	return func(s *statements) error {
		_, err := s.insert.Exec(it.row, id, it.m.ID, it.failed, headers.Data, string(it.m.Body.Format), octetsOf(it.m.Body.Data))
		return err
	}, nil
}

// submit has something written. number gets the next row, before any later one.
func (j *journal) submit(number func(row int64), c change) {
	j.mu.Lock()
	closed := j.closed
	if !closed {
		if number != nil {
			j.row++
			number(j.row)
		}
		j.queued = append(j.queued, c)
	}
	j.mu.Unlock()
	if closed {
		c.then(errJournalClosed)
		return
	}
	j.signal()
}

func (j *journal) signal() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// write has something written and waits for it, until ctx ends; it is written then too.
func (j *journal) write(ctx context.Context, number func(row int64), f func(s *statements) error, then func(err error)) error {
	written := make(chan error, 1)
	j.submit(number, change{f, func(err error) {
		then(err)
		written <- err
	}})
	select {
	case err := <-written:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// writer writes until the journal is closed and nothing is left.
func (j *journal) writer(s *statements) {
	defer close(j.ended)
	for range j.wake {
		for {
			j.mu.Lock()
			batch := j.queued[:min(len(j.queued), maxBatch)]
			if j.queued = j.queued[len(batch):]; len(j.queued) == 0 {
				j.queued = nil
			}
			closed := j.closed
			j.mu.Unlock()
			if len(batch) == 0 {
				if closed {
					return
				}
				break
			}
			j.settle(s, batch)
		}
	}
}

// settle writes a batch and tells everybody. What fails together is tried one by one: it
// may be the fault of a single change.
func (j *journal) settle(s *statements, batch []change) {
	err := j.commit(s, batch)
	for i, c := range batch {
		if err != nil && len(batch) > 1 {
			c.then(j.commit(s, batch[i:i+1]))
		} else {
			c.then(err)
		}
	}
}

// commit writes changes as one transaction.
func (j *journal) commit(s *statements, batch []change) (err error) {
	if _, err := j.db.Exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_, rollback := j.db.Exec("ROLLBACK")
			err = errors.Join(err, rollback)
		}
	}()
	for _, c := range batch {
		if err := c.write(s); err != nil {
			return err
		}
	}
	_, err = j.db.Exec("COMMIT")
	return err
}

// close writes what is left and closes the file.
func (j *journal) close() error {
	j.mu.Lock()
	j.closed = true
	j.mu.Unlock()
	j.signal()
	<-j.ended
	return j.db.Close()
}
