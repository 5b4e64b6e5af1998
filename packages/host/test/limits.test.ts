import { expect, test } from 'vitest';
import { AgentLimits } from '../src/agent/limits.ts';

/** Clocks that stand until they are moved. */
class TestClock {
  wall = 1_000_000;
  monotonic = 5_000;
  boot = 7_000;
  readonly wallMs = (): number => this.wall;
  readonly monotonicMs = (): number => this.monotonic;
  readonly sinceBootMs = (): number => this.boot;

  /** Time passes, in the small steps in which an agent looks at its limits. */
  pass(ms: number, check: () => unknown = () => undefined): void {
    for (let left = ms; left > 0; left -= 2_000) {
      const step = Math.min(left, 2_000);
      this.wall += step;
      this.monotonic += step;
      this.boot += step;
      check();
    }
  }

  sleep(ms: number): void {
    this.wall += ms;
    this.boot += ms;
  }
}

const HOUR = 3_600_000;

test('the absolute limit holds whatever is done', () => {
  const clock = new TestClock();
  const limits = new AgentLimits({ forMs: 8 * HOUR }, clock, 'linux');
  expect(limits.untilMs).toBe(1_000_000 + 8 * HOUR);
  const end = limits.begin();
  clock.pass(8 * HOUR - 1);
  expect(limits.check()).toBeUndefined();
  clock.pass(1);
  expect(limits.check()).toBe('time');
  end();
});

test('setting the clock back does not extend the absolute limit, setting it on ends it', () => {
  const back = new TestClock();
  const limits = new AgentLimits({ forMs: HOUR }, back, 'linux');
  back.wall -= 10 * HOUR;
  back.pass(HOUR);
  expect(limits.check()).toBe('time');
  const on = new TestClock();
  const others = new AgentLimits({ forMs: HOUR }, on, 'linux');
  on.wall += HOUR;
  expect(others.check()).toBe('time');
});

test('the idle limit counts from the end of the last request, and not while one is running', () => {
  const clock = new TestClock();
  const limits = new AgentLimits({ forMs: 8 * HOUR, idleMs: 60_000 }, clock, 'linux');
  clock.pass(59_000);
  const end = limits.begin();
  clock.pass(10 * 60_000);
  expect(limits.check()).toBeUndefined();
  end();
  clock.pass(59_999);
  expect(limits.check()).toBeUndefined();
  clock.pass(1);
  expect(limits.check()).toBe('idle');
});

test('without an idle limit nothing is idle', () => {
  const clock = new TestClock();
  const limits = new AgentLimits({ forMs: 8 * HOUR }, clock, 'linux');
  clock.pass(7 * HOUR);
  expect(limits.check()).toBeUndefined();
});

test('renewing begins anew, with other limits', () => {
  const clock = new TestClock();
  const limits = new AgentLimits({ forMs: HOUR }, clock, 'linux');
  clock.pass(HOUR - 1_000);
  limits.renew({ forMs: 2 * HOUR, idleMs: 60_000 });
  clock.pass(59_000);
  expect(limits.check()).toBeUndefined();
  clock.pass(1_000);
  expect(limits.check()).toBe('idle');
});

test('a machine that slept is noticed by the clock that went on', () => {
  const clock = new TestClock();
  const limits = new AgentLimits({ forMs: 8 * HOUR }, clock, 'linux');
  clock.pass(60_000, () => {
    expect(limits.check()).toBeUndefined();
  });
  clock.sleep(5_000);
  expect(limits.check()).toBe('suspend');
});

test('on Linux a clock that is set is no sleep, nor is an agent that was stopped', () => {
  const clock = new TestClock();
  const limits = new AgentLimits({ forMs: 8 * HOUR }, clock, 'linux');
  clock.wall += HOUR;
  expect(limits.check()).toBeUndefined();
  clock.wall += 120_000;
  clock.monotonic += 120_000;
  clock.boot += 120_000;
  expect(limits.check()).toBeUndefined();
});

test('where all clocks may go on in sleep, a standstill of a minute counts as one', () => {
  const clock = new TestClock();
  const limits = new AgentLimits({ forMs: 8 * HOUR }, clock, 'win32');
  clock.pass(120_000, () => {
    expect(limits.check()).toBeUndefined();
  });
  clock.wall += 60_000;
  clock.monotonic += 60_000;
  clock.boot += 60_000;
  expect(limits.check()).toBe('suspend');
});
