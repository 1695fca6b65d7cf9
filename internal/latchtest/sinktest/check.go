package sinktest

// Event is one event of the log.
type Event struct{ ID, Subject string }

// Report is what came of the events of a log on one path.
type Report struct {
	Delivered int // events that were taken
	Lost      int // that were never taken
	Reordered int // requests for an event before all earlier ones of its subject were taken
	Repeated  int // requests for an event that had been taken
	Foreign   int // requests for what is not in the log
}

// Check holds what came to the path against the log, which has the events of
// each subject in order.
func (s *Sink) Check(path string, log []Event) Report {
	number, subject := map[string]int{}, map[string]string{}
	length := map[string]int{}
	for _, event := range log {
		number[event.ID], subject[event.ID] = length[event.Subject], event.Subject
		length[event.Subject]++
	}
	var report Report
	taken, next := map[string]bool{}, map[string]int{} // next: the first of a subject that is not taken
	for _, arrival := range s.Arrivals() {
		if arrival.Path != path {
			continue
		}
		of, known := subject[arrival.Event]
		switch {
		case !known:
			report.Foreign++
			continue
		case taken[arrival.Event]:
			report.Repeated++
		case number[arrival.Event] != next[of]:
			report.Reordered++
		}
		if arrival.Answer == Take && !taken[arrival.Event] {
			taken[arrival.Event] = true
			next[of] = max(next[of], number[arrival.Event]+1)
		}
	}
	report.Delivered = len(taken)
	report.Lost = len(log) - len(taken)
	return report
}
