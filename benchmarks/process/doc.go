// Package process measures native processes of the scheduler beside goroutines with
// channels and beside the actors of protoactor-go.
package process
