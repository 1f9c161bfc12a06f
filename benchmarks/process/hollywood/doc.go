// SPDX-License-Identifier: Apache-2.0

// Package hollywood measures the workloads of package process with the actors of
// hollywood, in a program of its own: it and protoactor-go register protocol buffers of
// the same names, and the protocol buffer library panics when both are in one.
package hollywood
