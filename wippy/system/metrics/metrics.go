// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// Type is what a metric measures.
type Type uint8

// The types.
const (
	CounterType   Type = iota + 1 // only grows
	GaugeType                     // goes up and down
	HistogramType                 // a distribution
)

// String returns the name of the type.
func (t Type) String() string {
	switch t {
	case CounterType:
		return "counter"
	case GaugeType:
		return "gauge"
	case HistogramType:
		return "histogram"
	}
	return "unknown"
}

// Label tells series of one metric apart.
type Label struct{ Name, Value string }

// Limits bound what is kept, because names and labels come from programs, and through them from
// anybody.
type Limits struct {
	Metrics   int // names; default 2000
	Series    int // of one metric; default 2000
	Labels    int // of one series; default 32
	NameBytes int // of the name of a metric or a label; default 200
	// ValueBytes is how long the value of a label may be; what is longer is cut. Default 1024.
	ValueBytes int

	_ struct{}
}

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		field *int
		def   int
	}{{&l.Metrics, 2000}, {&l.Series, 2000}, {&l.Labels, 32}, {&l.NameBytes, 200}, {&l.ValueBytes, 1024}} {
		if *f.field <= 0 {
			*f.field = f.def
		}
	}
	return l
}

// Why a sample was refused.
const (
	dropMetrics = "metrics" // too many names
	dropSeries  = "series"  // too many series
	dropLabels  = "labels"  // too many labels, or a label that cannot be
	dropName    = "name"    // not a name
	dropType    = "type"    // the metric has another type
)

// droppedName counts what was refused.
const droppedName = "metrics_dropped_total"

// Metrics holds metrics. All methods may be called concurrently. Make one with [New].
type Metrics struct {
	limits  Limits
	dropped map[string]*Series // by reason; never written after New
	turn    sync.Mutex         // held by Gather, before mu

	mu       sync.RWMutex       // guards all below
	families map[string]*family // by plain name
	help     map[string]string  // likewise
	sources  []func()
}

// family is one metric.
type family struct {
	name string
	kind Type

	mu     sync.RWMutex       // guards series
	series map[string]*Series // by their labels, as a key
}

// Option changes what [New] returns.
type Option func(*Metrics)

// WithLimits sets limits; a field that is 0 has its default.
func WithLimits(l Limits) Option { return func(m *Metrics) { m.limits = l.withDefaults() } }

// New returns metrics without any.
func New(opts ...Option) *Metrics {
	m := &Metrics{limits: Limits{}.withDefaults(), families: map[string]*family{}, help: map[string]string{}, dropped: map[string]*Series{}}
	for _, o := range opts {
		o(m)
	}
	m.Describe(droppedName, "Samples that were refused, by reason.")
	f := &family{name: droppedName, kind: CounterType, series: map[string]*Series{}}
	m.families[droppedName] = f
	for _, reason := range []string{dropMetrics, dropSeries, dropLabels, dropName, dropType} {
		s := newSeries(CounterType, []Label{{"reason", reason}})
		f.series[key(s.labels)] = s
		m.dropped[reason] = s
	}
	return m
}

// Describe sets the text that explains a metric.
func (m *Metrics) Describe(name, help string) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.help[plain(name)] = help
}

// OnGather makes Gather call f first. It is for what others count, and is read only when somebody
// asks: f sets gauges and counters.
func (m *Metrics) OnGather(f func()) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sources = append(m.sources, f)
}

// Counter returns a series of a counter. When it cannot be it is nil, which counts nothing; Find
// says why.
func (m *Metrics) Counter(name string, labels ...Label) *Series {
	s, _ := m.Find(CounterType, name, labels)
	return s
}

// Gauge is Counter for a gauge.
func (m *Metrics) Gauge(name string, labels ...Label) *Series {
	s, _ := m.Find(GaugeType, name, labels)
	return s
}

// Histogram is Counter for a histogram with the buckets of [Buckets].
func (m *Metrics) Histogram(name string, labels ...Label) *Series {
	s, _ := m.Find(HistogramType, name, labels)
	return s
}

// Find returns the series of a metric with those labels, in whatever order, and makes it when there
// is none. An error of kind Invalid says that the name or a label cannot be, or that the metric has
// another type; one of kind LimitExceeded that there are too many. Both are counted.
func (m *Metrics) Find(kind Type, name string, labels []Label) (*Series, error) {
	if m == nil {
		return nil, nil
	}
	f, err := m.family(kind, name)
	if err != nil {
		return nil, err
	}
	labels, err = m.clean(kind, labels)
	if err != nil {
		return nil, err
	}
	var room [256]byte
	k := appendKey(room[:0], labels)
	f.mu.RLock()
	s := f.series[string(k)]
	f.mu.RUnlock()
	if s != nil {
		return s, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if s = f.series[string(k)]; s != nil {
		return s, nil
	}
	if len(f.series) >= m.limits.Series {
		return nil, m.drop(dropSeries, fault.LimitExceeded, "too many series of metric "+name)
	}
	s = newSeries(kind, slices.Clone(labels))
	f.series[string(k)] = s
	return s, nil
}

func (m *Metrics) family(kind Type, name string) (*family, error) {
	short := plain(name)
	m.mu.RLock()
	f := m.families[short]
	m.mu.RUnlock()
	if f == nil {
		var err error
		if f, err = m.newFamily(kind, name); err != nil {
			return nil, err
		}
	}
	if f.kind != kind {
		return nil, m.drop(dropType, fault.Invalid, "metric "+name+" is a "+f.kind.String()+", not a "+kind.String())
	}
	return f, nil
}

func (m *Metrics) newFamily(kind Type, name string) (*family, error) {
	if !m.isName(name) {
		return nil, m.drop(dropName, fault.Invalid, "invalid metric name")
	}
	short := plain(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	if f := m.families[short]; f != nil {
		return f, nil
	}
	if f := m.clash(kind, short); f != nil {
		return nil, m.drop(dropType, fault.Invalid, "metric "+name+" cannot stand beside the "+f.kind.String()+" "+f.name)
	}
	if len(m.families) >= m.limits.Metrics {
		return nil, m.drop(dropMetrics, fault.LimitExceeded, "too many metrics")
	}
	f := &family{name: strings.Clone(name), kind: kind, series: map[string]*Series{}}
	m.families[strings.Clone(short)] = f
	return f, nil
}

func (m *Metrics) isName(name string) bool {
	return name != "" && len(name) <= m.limits.NameBytes && utf8.ValidString(name)
}

func (m *Metrics) drop(reason string, kind fault.Kind, text string) error {
	m.dropped[reason].Add(1)
	return fault.New(kind, text).Final()
}

// clean sorts labels and cuts their values. A label without a value is as good as none. It changes
// nothing of what it is given.
func (m *Metrics) clean(kind Type, labels []Label) ([]Label, error) {
	if len(labels) == 0 {
		return nil, nil
	}
	if len(labels) > m.limits.Labels {
		return nil, m.drop(dropLabels, fault.LimitExceeded, "too many labels")
	}
	own := make([]Label, 0, len(labels))
	for _, l := range labels {
		if !m.isName(l.Name) || strings.HasPrefix(l.Name, "__") || kind == HistogramType && l.Name == "le" {
			return nil, m.drop(dropLabels, fault.Invalid, "invalid label name")
		}
		if l.Value == "" {
			continue
		}
		if len(l.Value) > m.limits.ValueBytes {
			l.Value = l.Value[:m.limits.ValueBytes]
		}
		if !utf8.ValidString(l.Value) {
			l.Value = strings.ToValidUTF8(l.Value, "\uFFFD")
		}
		own = append(own, l)
	}
	slices.SortFunc(own, func(a, b Label) int { return strings.Compare(plain(a.Name), plain(b.Name)) })
	for i := 1; i < len(own); i++ {
		if plain(own[i].Name) == plain(own[i-1].Name) {
			return nil, m.drop(dropLabels, fault.Invalid, "label "+own[i].Name+" given twice")
		}
	}
	return own, nil
}

// key is what tells label sets apart: 0xff is in no UTF-8 text.
func key(labels []Label) string { return string(appendKey(nil, labels)) }

func appendKey(k []byte, labels []Label) []byte {
	for _, l := range labels {
		k = append(k, plain(l.Name)...)
		k = append(k, 0xff)
		k = append(k, l.Value...)
		k = append(k, 0xff)
	}
	return k
}
