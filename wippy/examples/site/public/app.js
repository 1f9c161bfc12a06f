const list = document.getElementById("files");

async function show() {
  const { files } = await (await fetch("/shelf/")).json();
  list.replaceChildren(...Array.from(files).map((file) => {
    const link = document.createElement("a");
    link.href = "/shelf/" + encodeURIComponent(file.name);
    link.textContent = `${file.name} (${file.size} bytes)`;
    const item = document.createElement("li");
    item.append(link);
    return item;
  }));
}

document.getElementById("file").addEventListener("change", async (event) => {
  const file = event.target.files[0];
  const answer = await fetch("/shelf/" + encodeURIComponent(file.name), { method: "PUT", body: file });
  if (!answer.ok) alert((await answer.json()).error);
  await show();
});

show();
