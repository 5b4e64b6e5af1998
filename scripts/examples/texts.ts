export const ABOUT = `These files are here to be put into a vault and taken out again.

Each is a little awkward in its own way: one is empty, one is a single byte, two stand on either side of
the size at which Coffer stops keeping a file in its database and seals it on disk instead. There are
spaces in names, signs from other alphabets, and a name that a careless program takes for an option.

All of them were made by scripts/make-examples.ts, so they belong to nobody and hide nothing. You may
read them, lose them, and make them again.
`;

export const DASH = `A file whose name begins with a dash.

Written without care, a command takes the name for an option. Written with care, it takes it for a file:

    coffer add -- "-named like an option.txt"
`;

export const NAMES = `# Names are text, too

A name can say more than a file. \`divorce-lawyer.txt\` needs no content to tell its story; neither does
\`cv-for-the-other-company.odt\`. So the names are inside the vault, with the folders and the tags, and what
lies on the disk is called after random numbers.

- 🗝️ a key, with a variation selector behind it
- ☂ an umbrella, without
- Žofie, Šárka, Łucja, 青木, Ωμέγα, עדן
`;

export const LETTER = `To whoever finds this,

the boat is yours if you can use her. She is slow, she is kind, and she will tell you when
the wind is about to turn: listen to the halyard on the mast, it changes its tune a minute before.

The key to the lamp room hangs behind the barometer. Fill the lamp at dusk and trim it at ten. Nobody
has come by at night for years, but that is no reason; a light that is only lit for those one expects
is a courtesy, not a light.

The cat answers to Größenwahn, to Café, and to the sound of a tin. She has seen three keepers out
and will give you a fair trial.

I have left the books. Some have letters in them. I would rather you did not read those, but I could not
burn them, and I had nothing to lock them in.

                                                          the last keeper but you
`;
