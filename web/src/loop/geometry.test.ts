import { describe, expect, it } from "vitest";
import { againstReference, dots, onLogRail, railStart, ring } from "./geometry";

describe("ring", () => {
  const { nodes, arcs, centre, radius } = ring(5);
  it("starts at the top and goes clockwise at equal steps", () => {
    expect(nodes[0]?.x).toBeCloseTo(350);
    expect(nodes[0]?.y).toBeCloseTo(84);
    expect(nodes[1]?.x).toBeGreaterThan(500);
    expect(nodes[4]?.x).toBeLessThan(200);
    for (const node of nodes) expect(Math.hypot(node.x - centre.x, node.y - centre.y)).toBeCloseTo(radius);
  });
  it("joins each stage with the next and closes the circle", () => {
    expect(arcs).toHaveLength(5);
    expect(arcs[0]?.line).toBe("M376.6,86.1A170,170 0 0 1 501.5,176.8");
    expect(arcs[4]?.line).toBe("M198.5,176.8A170,170 0 0 1 323.4,86.1");
  });
  it("points each head along the direction of travel", () => {
    // the last arc arrives at the top from the left: both strokes of its head lie to the left of the tip
    const xs = Array.from(arcs[4]?.head.matchAll(/[ML]([\d.]+),/g) ?? [], (found) => Number(found[1]));
    expect(xs).toHaveLength(4);
    expect(xs[1]).toBeLessThan(xs[0] ?? 0);
    expect(xs[3]).toBeLessThan(xs[2] ?? 0);
  });
});

describe("brake rail", () => {
  it("is logarithmic from its start to the stop", () => {
    expect(onLogRail(1, 1, 20)).toBe(0);
    expect(onLogRail(20, 1, 20)).toBe(1);
    expect(onLogRail(Math.sqrt(20), 1, 20)).toBeCloseTo(0.5);
    expect(onLogRail(1, 0.05, 20)).toBeCloseTo(0.5);
  });
  it("holds every value inside the rail", () => {
    expect(onLogRail(0.2, 1, 20)).toBe(0);
    expect(onLogRail(500, 1, 20)).toBe(1);
    expect(onLogRail(Number.NaN, 1, 20)).toBe(0);
    expect(onLogRail(3, 2, 2)).toBe(1);
  });
  it("gives a warning at or under 1 the middle of the rail", () => {
    expect(railStart(5, 20)).toBe(1);
    expect(railStart(1, 20)).toBeCloseTo(0.05);
    expect(onLogRail(1, railStart(1, 20), 20)).toBeCloseTo(0.5);
  });
});

describe("reference range", () => {
  it("flags what is outside", () => {
    expect(againstReference(92, 120, 150)?.flag).toBe("low");
    expect(againstReference(412, 150, 400)?.flag).toBe("high");
    expect(againstReference(130, 120, 150)?.flag).toBe("");
  });
  it("keeps range and value inside the drawing", () => {
    for (const value of [-1000, 0, 119, 135, 151, 10_000]) {
      const place = againstReference(value, 120, 150);
      for (const share of [place?.from, place?.to, place?.at]) {
        expect(share).toBeGreaterThanOrEqual(0);
        expect(share).toBeLessThanOrEqual(1);
      }
    }
  });
  it("draws nothing without a range", () => {
    expect(againstReference(5, 3, 3)).toBeNull();
    expect(againstReference(Number.NaN, 0, 1)).toBeNull();
  });
});

describe("dots", () => {
  it("draws every dot once", () => {
    expect(dots(0, 86).match(/M/g)).toHaveLength(86);
    expect(dots(86, 100).match(/M/g)).toHaveLength(14);
    expect(dots(100, 100)).toBe("");
    expect(dots(50, 51)).toBe("M0.5,8.5h6v6h-6z");
  });
});
