// SAMPLE data for looking at the pages without a server. Nothing here is measured; nothing here is shipped.

import { readFileSync } from "node:fs";

const minutes = (n) => new Date(Date.now() - n * 60_000).toISOString();
const id = (n) => `0199f0aa-1111-7abc-8def-${String(n).padStart(12, "0")}`;

const tally = (auto, human, blocked = 0, expired = 0) => ({
  auto,
  human,
  blocked,
  expired,
  total: auto + human + blocked + expired,
});

export const projects = [
  {
    id: "medical",
    name: "Breast mass",
    description: "Is the mass benign or malignant? 569 cases, 30 features each.",
    demo: true,
    simulated: ["the reviewers and their errors", "the shift at the end of the stream"],
  },
  { id: "fresh", name: "Fresh project", description: "", demo: false, simulated: [] },
  {
    id: "braked",
    name: "Braked project with a name that is longer than the place for it",
    description: "Automation was stopped by the brake.",
    demo: true,
    simulated: ["the reviewers"],
  },
];

const stage = (key, title, figure, detail, state, state_text, href = "") => ({
  key,
  title,
  figure,
  detail,
  state,
  state_text,
  href,
});

const actors = {
  brandt: { kind: "simulated", name: "A. Brandt" },
  okafor: { kind: "person", name: "M. Okafor" },
  rule: { kind: "rule", name: "retrain" },
  machine: { kind: "machine", name: "stream" },
};

export function entries(from, n) {
  const makes = [
    [actors.brandt, "review.verdict_given", (i) => `corrected the AI on case-${i}: benign, not malignant`],
    [actors.machine, "review.decided", (i) => `decided case-${i} automatically: benign, score 0.987`],
    [actors.okafor, "tasks.answered", (i) => `answered a task on case-${i}: malignant`],
    [actors.rule, "datasets.committed", () => "made a commit on main: 38 labels added, 4 changed"],
  ];
  return Array.from({ length: Math.max(0, Math.min(n, from + 1)) }, (_, step) => {
    const index = from - step;
    const [actor, verb, sentence] = makes[index % makes.length];
    const objects =
      verb === "datasets.committed"
        ? { commit: "c41f9e00aa11bb22cc33dd44ee55ff66" }
        : { decision: id(index), item: id(9000 + index) };
    return { index, time: minutes((from - index) * 7), actor, verb, sentence: sentence(100 + index), objects };
  });
}

const certificate = {
  id: "C-2",
  status: "certified",
  alpha: 0.05,
  delta: 0.1,
  threshold: 0.931,
  coverage: 0.78,
  labels: 200,
  errors: 9,
  labels_in_range: 156,
  errors_in_range: 2,
  upper: 0.0336,
  needed: null,
  model: "v2",
  policy: "p1",
  issued_at: minutes(95),
  mode: "closed",
};

const full = {
  automation: "auto",
  today: tally(2296, 918),
  all: tally(12_480, 4_101, 12, 3),
  stages: [
    stage("prepare", "Prepare", "260 labels", "of 569 items, 60 drawn to train", "decided", "commit c41f9e, 09:12"),
    stage("train", "Train", "94.2 % right", "v2, 90.1–96.8 %, n = 200", "running", "v3 trains, 62 %"),
    stage(
      "review",
      "Decide and review",
      "31 open, 4 due",
      "half wait less than 38 min, n = 64",
      "auto",
      "on time",
      "projects/medical/tasks",
    ),
    stage(
      "feedback",
      "Feed back",
      "26 corrections",
      "since v2",
      "pending",
      "24 more start a training",
      "projects/medical/journal",
    ),
    stage("watch", "Watch", "1 alarm", "mean texture has moved", "warned", "warned since 3 Nov, 16:20"),
  ],
  certificate,
  brake: { e_value: 3.42, warns_at: 5, stops_at: 20, level: "ready", audits: 318, wrong: 7, since: minutes(20_000) },
  queue: { open: 31, claimed: 2, due: 4 },
  journal_entries: 4206,
};

const fresh = {
  automation: "shadow",
  today: tally(0, 0),
  all: tally(0, 0),
  stages: [
    stage("prepare", "Prepare", "no labels", "569 items are stored", "pending", "draw labels to begin"),
    stage("train", "Train", "no model", "", "pending", "needs 30 labels, has 0"),
    stage("review", "Decide and review", "nothing waits", "", "pending", "no policy yet"),
    stage("feedback", "Feed back", "0 corrections", "", "pending", "nothing to feed back"),
    stage("watch", "Watch", "not watched", "", "pending", "starts with the first 30 items"),
  ],
  certificate: null,
  brake: null,
  queue: { open: 0, claimed: 0, due: 0 },
  journal_entries: 2,
};

const braked = {
  ...full,
  automation: "braked",
  today: tally(0, 412),
  certificate: {
    ...certificate,
    status: "refused",
    threshold: null,
    coverage: null,
    labels_in_range: null,
    errors_in_range: null,
    upper: null,
    needed: 118,
    alpha: 0.02,
  },
  brake: { e_value: 24.1, warns_at: 5, stops_at: 20, level: "braked", audits: 41, wrong: 9, since: minutes(600) },
  stages: full.stages.map((one) =>
    one.key === "review" ? { ...one, state: "braked", state_text: "braked since 10:12" } : one,
  ),
};

const LOOPS = { medical: full, fresh, braked };

export function loop(project, newest) {
  const shape = LOOPS[project];
  if (shape === undefined) return null;
  const found = projects.find((one) => one.id === project);
  const events = project === "fresh" ? [] : entries(newest, 6);
  return {
    project: { id: found.id, name: found.name, description: found.description },
    as_of: new Date().toISOString(),
    ...shape,
    events,
  };
}

const FEATURES = [
  "radius",
  "texture",
  "perimeter",
  "area",
  "smoothness",
  "compactness",
  "concavity",
  "concave points",
  "symmetry",
  "fractal dimension",
];
const UNITS = { radius: "µm", perimeter: "µm", area: "µm²" };

export const question = {
  name: "diagnosis",
  title: "Is this mass benign or malignant?",
  type: "choice",
  options: [
    { value: "benign", title: "Benign" },
    { value: "malignant", title: "Malignant" },
  ],
};

const fields = FEATURES.flatMap((name, place) =>
  ["mean", "worst"].map((kind, extra) => ({
    name: `${kind} ${name}`,
    title: `${kind === "mean" ? "Mean" : "Worst"} ${name}`,
    unit: UNITS[name] ?? "",
    value:
      name === "symmetry" && extra === 1
        ? null
        : [17.99, 10.38, 122.8, 1001, 0.1184, 0.2776, 0.3001, 0.1471, 0.2419, 0.07871][place] * (1 + extra / 5),
    reference_low: place < 4 ? [9.4, 11.6, 60, 275][place] : null,
    reference_high: place < 4 ? [15.2, 21.2, 99, 719][place] : null,
  })),
);

const prediction = {
  value: "malignant",
  score: 0.86,
  words: "Likely right: of 100 cases scored like this, about 86 were right (81–90, n = 214)",
  top: [
    { feature: "worst concave points", contribution: 0.24 },
    { feature: "worst radius", contribution: 0.17 },
    { feature: "mean texture", contribution: -0.08 },
    { feature: "mean area", contribution: 0.05 },
  ],
};

const accuracy = (value, low, high) => ({ value, low, high, n: 200, level: 0.95 });
const proposal = {
  question: "diagnosis",
  model: {
    id: id(2),
    name: "v3",
    digest: "9f2c1e5ad0b34f6c8e7a1b2c3d4e5f60718293a4b5c6d7e8f901234567890abc",
    commit_id: "c41f9e00aa11bb22cc33dd44ee55ff66c41f9e00aa11bb22cc33dd44ee55ff66",
    rows: 286,
    note: "",
  },
  champion: { id: id(1), name: "v2" },
  cross_validation: { method: "5-fold", accuracy: accuracy(0.94, 0.9, 0.97) },
  evaluation: null,
  comparison: {
    champion_accuracy: accuracy(0.935, 0.891, 0.965),
    challenger_accuracy: accuracy(0.955, 0.916, 0.979),
    difference: accuracy(0.02, -0.01, 0.05),
    only_champion: 3,
    only_challenger: 7,
    p_value: 0.3438,
    rows: 200,
  },
  summary: "No difference is shown: +2.0 points [-1.0, +5.0] on the same 200 held-out items.",
};

export function newTasks() {
  const reasons = [
    "the score 0.86 is under the certified threshold 0.931",
    "rule r1: a person looks at every large mass",
    "drawn at random to certify the model",
  ];
  const rows = Array.from({ length: 12 }, (_, n) => ({
    id: id(500 + n),
    kind: ["review", "audit", "label"][n % 3],
    question: question.title,
    item_id: id(800 + n),
    item_name: `case-${117 + n * 3}`,
    reason: `A person decides because ${reasons[n % 3]}.`,
    priority: 0,
    opened_at: minutes(12 + n * 31),
    deadline: n % 2 === 0 ? minutes(-(18 + n * 60)) : null,
    status: "open",
    claimed_by: null,
    for_you: true,
  }));
  return [
    {
      ...rows[0],
      id: id(499),
      kind: "sign_off",
      item_id: null,
      item_name: null,
      question: "diagnosis",
      reason: "v3 is proposed in place of v2",
      deadline: null,
    },
    ...rows,
  ];
}

export function detail(row) {
  const signing = row.kind === "sign_off";
  const blind = row.kind === "audit";
  return {
    id: row.id,
    kind: row.kind,
    question,
    item: signing ? null : { id: row.item_id, name: row.item_name, fields },
    prediction: row.kind === "review" ? prediction : null,
    blind,
    reason: row.reason,
    payload: signing ? proposal : {},
    claim_until: minutes(-10),
    first_needed: false,
    own_answer: null,
    guideline: signing
      ? null
      : "Malignant when the outline is irregular and the cells are large; when in doubt choose “Cannot say”.",
  };
}

export function dossier(decision) {
  return {
    decision: {
      id: decision,
      status: "decided",
      route: "human",
      value: "malignant",
      by: "person:M. Okafor",
      score: 0.86,
      reasons: ["score 0.86 is under the certified threshold 0.931"],
      created_at: minutes(80),
      decided_at: minutes(12),
      audit_probability: 0.1,
    },
    item: {
      external_id: "case-117",
      observed_at: minutes(90),
      data: { "mean radius": 17.99, "mean texture": 10.38, "worst symmetry": null },
    },
    prediction: {
      value: "malignant",
      score: 0.86,
      scores: { benign: 0.14, malignant: 0.86 },
      top: [
        { feature: "worst radius", contribution: 0.17 },
        { feature: "mean texture", contribution: -0.08 },
      ],
    },
    certificate: { number: 2, status: "certified", alpha: 0.05, delta: 0.1, threshold: 0.931 },
    model: { name: "v2", digest: "9f2c1e5ad0b34f6c8e7a1b2c3d4e5f60718293a4b5c6d7e8f901234567890abc" },
    policy: { version: 1, alpha: 0.05, rules: [] },
    commit: {
      id: "c41f9e00aa11bb22cc33dd44ee55ff66c41f9e00aa11bb22cc33dd44ee55ff66",
      message: "first labels",
      labels: 60,
    },
    work: [
      {
        kind: "review",
        status: "answered",
        reason: "score 0.86 is under the certified threshold 0.931",
        blind: false,
        opened_at: minutes(80),
        answer: {
          verb: "approve",
          value: "malignant",
          reason: "",
          by: { kind: "simulated", name: "A. Brandt" },
          at: minutes(12),
        },
      },
    ],
    entries: JSON.parse(readFileSync(new URL("../src/dossier/proof.sample.json", import.meta.url), "utf8")),
  };
}
