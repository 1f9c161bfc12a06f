"use strict";

const messages = document.getElementById("messages");
const problem = document.getElementById("problem");
const state = document.getElementById("state");
const form = document.getElementById("form");

// Text of others is set as text, so that it is never markup.
function show(message) {
  const item = document.createElement("li");
  item.id = "m" + message.id;
  const author = document.createElement("b");
  author.textContent = message.author;
  const text = document.createElement("span");
  text.textContent = message.text;
  const remove = document.createElement("button");
  remove.textContent = "remove";
  remove.addEventListener("click", () => call("DELETE", "api/messages/" + message.id));
  item.append(author, text, remove);
  messages.prepend(item);
}

async function call(method, path, body) {
  problem.hidden = true;
  try {
    const answer = await fetch(path, {method, body: body && JSON.stringify(body)});
    if (!answer.ok) {
      const reason = await answer.json().catch(() => ({}));
      throw new Error(reason.error || answer.statusText);
    }
    return true;
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
    return false;
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const {author, text} = form.elements;
  if (await call("POST", "api/messages", {author: author.value, text: text.value})) {
    text.value = "";
    text.focus();
  }
});

// A browser connects again by itself; the board then begins with everything it has.
const live = new EventSource("api/live");
live.addEventListener("open", () => { state.textContent = "live"; });
live.addEventListener("error", () => { state.textContent = "connecting …"; });
live.addEventListener("all", (event) => {
  messages.replaceChildren();
  JSON.parse(event.data).forEach(show);
});
live.addEventListener("posted", (event) => show(JSON.parse(event.data)));
live.addEventListener("removed", (event) => document.getElementById("m" + JSON.parse(event.data).id)?.remove());
