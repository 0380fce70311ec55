// What can be done with runs that are selected, as buttons that say why they do nothing; and what became of it.
const button = (text, act, say, isPossible = true, why = "") =>
  h("button", { type: "button", class: "wb-button", "aria-disabled": isPossible ? null : "true", title: isPossible ? null : why, onclick: () => (isPossible ? act() : say(why)) }, text);

async function copyText(text, what, say) {
  try {
    await navigator.clipboard.writeText(text);
    say(`Copied ${what}.`);
  } catch {
    say(`The browser does not allow copying here: ${text}`);
  }
}

// The buttons for the runs with these ids; `reference` is the run that a comparison is held against, if any.
function runDeeds(model, chosen, reference, say) {
  const one = chosen.length === 1;
  const against = reference && !chosen.includes(reference) ? `, reference=${JSON.stringify(reference)}` : "";
  const pair = against && one ? [reference, ...chosen] : chosen;
  const compared = `wb.compare(${JSON.stringify(chosen)}${against})`;
  const name = h("input", { type: "text", class: "wb-short", placeholder: "model name", "aria-label": "Name of the model to nominate for" });

  function nominate() {
    if (!name.value.trim()) {
      name.focus();
      return say("Name the model it is nominated for.");
    }
    say("Nominating: evidence is computed …");
    model.send({ kind: "nominate", run: chosen[0], model: name.value.trim() });
  }

  return [
    button("Copy comparison", () => copyText(compared, "wb.compare(…): paste it in a cell", say), say, chosen.length > 0, "Select the runs to compare."),
    button("Copy difference", () => copyText(`wb.diff(${pair.map((run) => JSON.stringify(run)).join(", ")})`, "wb.diff(…): paste it in a cell", say), say, pair.length === 2, "Select two runs, or one beside the pinned one: how the second differs from the first."),
    button("Copy its command", () => model.send({ kind: "spell command", run: chosen[0] }), say, one, "Select one run: the command makes it again."),
    button("Archive", () => model.send({ kind: "archive", runs: chosen }), say, chosen.length > 0, "Select the runs to put aside."),
    h("span", { class: "wb-nominating" }, name, button("Nominate", nominate, say, one, "Select one run to nominate.")),
  ];
}

// Says each reply once; what was refused stands where it is read until something else is asked. `place` puts it there.
function hearReplies(model, refusal, say, place) {
  let heard = model.get("reply").number ?? 0;
  return () => {
    const reply = model.get("reply");
    if (!reply.number || reply.number === heard) return;
    heard = reply.number;
    place();
    refusal.replaceChildren(reply.is_refused ? reply.text : "");
    if (reply.copy) copyText(reply.copy, "the command that makes it again", say);
    else say(reply.is_refused ? "" : reply.text);
  };
}

// How many are selected, of which some may be out of sight, and a button that selects none.
function countSelected(count, clear, hidden = 0) {
  const said = count ? `${count.toLocaleString("en")} selected${hidden ? `, ${hidden.toLocaleString("en")} of them not shown` : ""}` : "None selected";
  return h("span", { class: "wb-quiet" }, said, count ? h("button", { type: "button", class: "wb-small", onclick: clear }, "Clear selection") : null);
}

// Where a refusal is said: beside what was asked last, so that nobody has to look for it. `home` puts it where it stands else.
function refusalBeside(el, refusal, home) {
  let last = null;
  const notice = (event) => (last = event.target.closest(".wb-deeds, .wb-run-pictures"));
  for (const name of ["click", "keydown", "change"]) el.addEventListener(name, notice, true);
  return () => (last?.isConnected ? last.after(refusal) : home());
}
