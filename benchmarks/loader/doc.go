// Package loader measures what loading a component graph costs over the components
// themselves, beside errgroup running the same levels and uber/fx running an equal
// graph.
package loader
