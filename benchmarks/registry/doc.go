// Package registry measures the versioned entry store beside go-memdb, beside bare
// SQLite and beside the YAML decoder it is built on.
package registry
