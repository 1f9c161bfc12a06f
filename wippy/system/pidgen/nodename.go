// SPDX-License-Identifier: Apache-2.0

package pidgen

import (
	"crypto/sha1"
	"encoding/hex"
	"os"
	"strings"
)

// NodeOptions is what [NodeName] derives a name from. The zero value asks the real machine.
type NodeOptions struct {
	// Configured is the name from the configuration (relay.node_name). It wins over everything.
	Configured string
	// Clustered says that other nodes can see this one, so that it needs a name of its own even when
	// nobody gave it one. A single node without a given name is "local" and has short process ids.
	Clustered bool

	// Getenv reads the environment; nil means [os.Getenv].
	Getenv func(string) string
	// MachineID returns an id of the machine, "" when it has none; nil reads /etc/machine-id and falls
	// back to the host name.
	MachineID func() string
	// WorkDir returns the working directory; nil means [os.Getwd].
	WorkDir func() (string, error)

	_ struct{}
}

// LocalNode is the name of a node nobody else can see.
const LocalNode = "local"

// NodeName returns the name of this node: the configured one, else WIPPY_NODE_ID, else
// WIPPY_RELAY_NODE_NAME, else "local" for a single node. A clustered node without a given name gets a UUID
// (version 5) of the machine and the working directory: stable over restarts, different for two
// projects on one machine.
func NodeName(o NodeOptions) string {
	getenv := o.Getenv
	if getenv == nil {
		getenv = os.Getenv
	}
	for _, name := range []string{o.Configured, getenv("WIPPY_NODE_ID"), getenv("WIPPY_RELAY_NODE_NAME")} {
		if name = strings.TrimSpace(name); name != "" {
			return name
		}
	}
	if !o.Clustered {
		return LocalNode
	}
	machineID, workDir := o.MachineID, o.WorkDir
	if machineID == nil {
		machineID = readMachineID
	}
	if workDir == nil {
		workDir = os.Getwd
	}
	dir, _ := workDir() // a deleted working directory still leaves the machine to tell nodes apart
	return uuid5(oidSpace, "wippy-node:"+machineID()+"\x00"+dir)
}

func readMachineID() string {
	for _, file := range []string{"/etc/machine-id", "/var/lib/dbus/machine-id"} {
		if b, err := os.ReadFile(file); err == nil {
			if id := strings.TrimSpace(string(b)); id != "" {
				return id
			}
		}
	}
	name, _ := os.Hostname()
	return name
}

// oidSpace is the ISO OID name space of RFC 9562, 6ba7b812-9dad-11d1-80b4-00c04fd430c8.
var oidSpace = [16]byte{0x6b, 0xa7, 0xb8, 0x12, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}

// uuid5 is the name-based UUID of RFC 9562, section 5.5.
func uuid5(space [16]byte, name string) string {
	sum := sha1.Sum(append(space[:], name...))
	u := sum[:16]
	u[6] = u[6]&0x0f | 0x50
	u[8] = u[8]&0x3f | 0x80
	text := hex.EncodeToString(u)
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}
