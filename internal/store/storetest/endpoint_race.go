package storetest

import (
	"fmt"
	"sync"

	"latchkey"
)

// racingStatus appends events while the endpoint changes its status and never
// sends it anything that it was queued for twice or out of order.
func racingStatus(w *world) {
	const connections, events = 6, 20
	endpoint := w.endpoint("*")
	var appending, changing sync.WaitGroup
	appended := make(chan struct{})
	for i := range connections {
		appending.Go(func() { w.happen(w.linked(w.connection(fmt.Sprintf("u%d", i), "")), events-1) })
	}
	changing.Go(func() {
		for {
			select {
			case <-appended:
				w.set(endpoint, latchkey.EndpointEnabled)
				return
			default:
			}
			for _, delivery := range w.claim() { // and fail for the last time
				err := w.store.FinishDelivery(w.Context(), delivery, latchkey.DeliveryOutcome{Status: 500, At: start})
				if err != nil && latchkey.CodeOf(err) != latchkey.Conflict {
					w.Error(err)
				}
			}
			w.set(endpoint, latchkey.EndpointEnabled)
		}
	})
	appending.Wait()
	close(appended)
	changing.Wait()
	total := 0
	for subject, sequences := range w.drain() {
		total += len(sequences)
		for i, sequence := range sequences {
			if sequence != int64(i+1) {
				w.Errorf("%s was delivered as %v", subject, sequences)
				break
			}
		}
	}
	if total != connections*events {
		w.Errorf("%d of %d were delivered", total, connections*events)
	}
}

// racingDeletion deletes endpoints while events are queued for them. A head
// that was left behind would fail every claim.
func racingDeletion(w *world) {
	var appending sync.WaitGroup
	ended := make(chan struct{})
	for i := range 4 {
		appending.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-ended:
					return
				default:
					w.linked(w.connection(fmt.Sprintf("u%d.%d", i, n), ""))
				}
			}
		})
	}
	for range 20 {
		w.must(w.removeEndpoint(w.endpoint("*")))
	}
	close(ended)
	appending.Wait()
	w.none()
}
