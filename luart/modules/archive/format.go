// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"strings"
)

// The formats.
const (
	formatZip     = "zip"
	formatTar     = "tar"
	formatTarGzip = "tar.gz"
	formatTarZstd = "tar.zst"
)

var formats = []string{formatZip, formatTar, formatTarGzip, formatTarZstd}

// headSize is how much of a source is looked at.
const headSize = 512

var errFormat = invalid("unknown archive format (set opts.format)")

// formatOf finds the format of an archive by its first bytes, or else by the name of the file.
func formatOf(head []byte, name string) (string, error) {
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")), bytes.HasPrefix(head, []byte("PK\x07\x08")):
		return formatZip, nil
	case len(head) > 262 && string(head[257:262]) == "ustar":
		return formatTar, nil
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return formatTarGzip, nil
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return formatTarZstd, nil
	}
	return formatOfName(name)
}

// formatOfName finds the format by the extension.
func formatOfName(name string) (string, error) {
	name = strings.ToLower(name)
	for ext, format := range map[string]string{
		".zip": formatZip, ".tar": formatTar, ".tar.gz": formatTarGzip, ".tgz": formatTarGzip, ".tar.zst": formatTarZstd,
	} {
		if strings.HasSuffix(name, ext) {
			return format, nil
		}
	}
	return "", errFormat
}
