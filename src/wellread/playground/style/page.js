// What else could have come in a token's place: shown under the pointer, at the focus, on a touch.
(() => {
  const tip = document.createElement("div");
  tip.id = "wr-tip";
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;

  const show = token => {
    const rows = JSON.parse(token.dataset.likely).map(([text, share]) => {
      const row = document.createElement("div");
      row.className = "wr-likely";
      const name = document.createElement("bdi");
      name.textContent = text;
      const bar = document.createElement("i");
      bar.style.width = `${Math.max(1, share * 100)}%`;
      const value = document.createElement("span");
      value.textContent = share < 0.001 ? "< 0.1 %" : `${(share * 100).toFixed(1)} %`;
      const track = document.createElement("span");
      track.className = "wr-track";
      track.append(bar);
      row.append(name, track, value);
      return row;
    });
    const head = document.createElement("p");
    const tokens = Number(token.dataset.tokens);
    head.textContent = tokens > 1
      ? `${token.dataset.bits} bits of surprise, of ${tokens} tokens; likeliest for the first:`
      : `${token.dataset.bits} bits of surprise; likeliest here:`;
    tip.replaceChildren(head, ...rows);
    if (!tip.isConnected) document.body.append(tip);
    tip.hidden = false;
    token.setAttribute("aria-describedby", tip.id);
    const place = token.getClientRects()[0], size = tip.getBoundingClientRect();
    const left = Math.min(Math.max(place.left, 8), document.documentElement.clientWidth - size.width - 8);
    const below = place.bottom + 6, fits = below + size.height < innerHeight;
    tip.style.left = `${left + scrollX}px`;
    tip.style.top = `${(fits ? below : Math.max(place.top - size.height - 6, 8)) + scrollY}px`;
  };
  const hide = () => { tip.hidden = true; };
  const tokenOf = event => event.target.closest?.(".wr-token");

  document.addEventListener("mouseover", event => {
    const token = tokenOf(event);
    if (token) show(token); else if (!document.activeElement?.matches(".wr-token")) hide();
  });
  document.addEventListener("focusin", event => { const token = tokenOf(event); if (token) show(token); else hide(); });
  document.addEventListener("click", event => { if (!tokenOf(event)) hide(); });
  document.addEventListener("keydown", event => {
    if (event.key === "Escape") return hide();
    const token = tokenOf(event);
    const step = { ArrowLeft: "previousElementSibling", ArrowRight: "nextElementSibling" }[event.key];
    if (!token || !step) return;
    event.preventDefault();
    const next = token[step];
    if (!next?.matches(".wr-token")) return;
    token.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
})();
