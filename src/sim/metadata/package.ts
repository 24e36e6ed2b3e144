/** What a deployed package holds, of the kinds that this org knows. */

export interface Component {
  readonly type: 'CustomField' | 'PermissionSet' | 'PlatformEventChannelMember';
  readonly fullName: string;
  readonly fileName: string;
  /** What the file says of it; undefined where package.xml names what no file holds. */
  readonly xml: string | undefined;
}

export function componentsOf(files: ReadonlyMap<string, string>): readonly Component[] | { readonly problem: string } {
  const manifest = files.get('package.xml');
  if (manifest === undefined) return { problem: 'No package.xml found' };
  const components: Component[] = [];
  for (const types of blocks(manifest, 'types')) {
    const kind = textIn(types, 'name') ?? '';
    for (const fullName of blocks(types, 'members').map(unescaped)) {
      const found = inFile(kind, fullName, files);
      if (found === undefined) return { problem: `Unknown type name '${kind}' specified in package.xml` };
      components.push(found);
    }
  }
  return components;
}

function inFile(kind: string, fullName: string, files: ReadonlyMap<string, string>): Component | undefined {
  switch (kind) {
    case 'CustomField': {
      const [object = '', name = ''] = fullName.split('.');
      const fileName = `objects/${object}.object`;
      const fields = blocks(files.get(fileName) ?? '', 'fields');
      const xml = fields.find((field) => textIn(field, 'fullName') === name);
      return { type: kind, fullName, fileName, xml };
    }
    case 'PermissionSet': {
      const fileName = `permissionsets/${fullName}.permissionset`;
      return { type: kind, fullName, fileName, xml: files.get(fileName) };
    }
    case 'PlatformEventChannelMember': {
      const fileName = `platformEventChannelMembers/${fullName}.platformEventChannelMember`;
      return { type: kind, fullName, fileName, xml: files.get(fileName) };
    }
    default:
      return undefined;
  }
}

export function blocks(xml: string, tag: string): readonly string[] {
  return [...xml.matchAll(new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`, 'g'))].map(([, inner = '']) => inner);
}

export function textIn(xml: string, tag: string): string | undefined {
  const [first] = blocks(xml, tag);
  return first === undefined ? undefined : unescaped(first);
}

function unescaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
  return text.trim().replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => entities[name] ?? '');
}
