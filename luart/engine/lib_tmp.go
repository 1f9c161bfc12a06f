package engine
func buildString(b *Builder) {}
func buildTable(b *Builder) {}
func buildMath(b *Builder) {}
func buildOS(b *Builder) {}
