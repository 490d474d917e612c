package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"
)

// task is a line of bench/scenarios/call.mjs.
type task struct {
	Milliseconds int `json:"milliseconds"`
	Width        int `json:"width"`
}

// payload is what every call sends and expects, as in bench/plugin/payload.mjs.
type payload struct {
	Endpoint string `json:"endpoint"`
	Method   string `json:"method"`
	Data     string `json:"data"`
	Answer   string `json:"answer"`
}

type result struct {
	P50     float64 `json:"p50,omitempty"`
	P99     float64 `json:"p99,omitempty"`
	PerCall float64 `json:"perCall"`
}

func answerTasks(plugin caller, p payload) error {
	lines := bufio.NewScanner(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	fmt.Println("{}")
	for lines.Scan() {
		var t task
		if err := json.Unmarshal(lines.Bytes(), &t); err != nil {
			return err
		}
		measured, err := measure(plugin, p, t)
		if err != nil {
			return err
		}
		if err := out.Encode(measured); err != nil {
			return err
		}
	}
	return lines.Err()
}

// measure keeps t.Width calls in flight for t.Milliseconds. Results are in microseconds.
func measure(plugin caller, p payload, t task) (result, error) {
	var group sync.WaitGroup
	times := make([][]float64, t.Width)
	errs := make([]error, t.Width)
	started := time.Now()
	end := started.Add(time.Duration(t.Milliseconds) * time.Millisecond)
	for index := range t.Width {
		group.Add(1)
		go func() {
			defer group.Done()
			times[index], errs[index] = callUntil(plugin, p, end)
		}()
	}
	group.Wait()
	elapsed := float64(time.Since(started).Nanoseconds()) / 1e3
	all := slices.Concat(times...)
	slices.Sort(all)
	for _, err := range errs {
		if err != nil {
			return result{}, err
		}
	}
	return result{all[len(all)/2], all[len(all)*99/100], elapsed / float64(len(all))}, nil
}

func callUntil(plugin caller, p payload, end time.Time) ([]float64, error) {
	var times []float64
	for started := time.Now(); started.Before(end); {
		answer, err := plugin.Call(p.Endpoint, p.Method, p.Data)
		if err != nil {
			return nil, err
		}
		if answer != p.Answer {
			return nil, fmt.Errorf("unexpected answer: %s", answer)
		}
		now := time.Now()
		times = append(times, float64(now.Sub(started).Nanoseconds())/1e3)
		started = now
	}
	return times, nil
}
