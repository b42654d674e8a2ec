// SPDX-License-Identifier: GPL-3.0-or-later
// Shows the form and hides what does not fit it. Without a script everything is shown.
(() => {
  const form = document.querySelector('form.filter');
  if (!form) return;
  const items = [...document.querySelectorAll('[data-find]')];
  const texts = items.map((item) => item.textContent.toLowerCase());
  const apply = () => {
    const wanted = Object.fromEntries(new FormData(form));
    const words = (wanted.text || '').toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    items.forEach((item, i) => {
      const fits = ['status', 'phase'].every((group) => !wanted[group] || item.dataset[group] === wanted[group]) &&
        words.every((word) => texts[i].includes(word));
      item.hidden = !fits;
      shown += fits;
    });
    form.querySelector('output').textContent = shown;
  };
  form.hidden = false;
  form.addEventListener('input', apply);
  form.addEventListener('submit', (event) => event.preventDefault());
  apply();
  const goal = location.hash && document.getElementById(location.hash.slice(1));
  if (goal) goal.scrollIntoView(); // the form has moved what is below it
})();
