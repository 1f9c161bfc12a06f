// Package relay measures routing to a local host beside the tables of hosts that one
// writes by hand.
package relay
